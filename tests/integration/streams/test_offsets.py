"""How far each partition is applied, whatever comes again, and when a topic is made anew."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
import pytest

from promptsales import stream_lag, stream_progress
from promptsales.settings import Settings
from streams.batch import Batch, Offset
from streams.sink import Sink

TOPIC = "anew"
AT = datetime(2026, 3, 2, tzinfo=UTC)
Move = Callable[[int, int], int]


@pytest.fixture
def move(stack: Settings, admin: psycopg.Connection) -> Iterator[Move]:
    """Applies some offsets of a partition; where it then is. No such topic is known afterwards."""

    async def run(first: int, following: int) -> None:
        async with await psycopg.AsyncConnection.connect(stack.address("warehouse"), autocommit=True) as connection:
            await Sink(connection, 14).apply(Batch((), (), (Offset(TOPIC, 0, first, following, AT, 1, 1),)))

    def moved(first: int, following: int) -> int:
        asyncio.run(run(first, following))
        return stream_lag.applied(admin, [TOPIC])[TOPIC, 0]

    yield moved
    admin.execute("delete from ops.stream_offset where topic = %s", [TOPIC])


def test_events_that_come_again_turn_nothing_back(move: Move, admin: psycopg.Connection) -> None:
    assert [move(0, 5), move(5, 1000), move(3, 7), move(900, 1001)] == [5, 1000, 1000, 1001]
    known = "select source_at, source_lsn, unnamed_events from ops.stream_offset where topic = %s"
    assert admin.execute(known, [TOPIC]).fetchone() == (AT, 1, 4)


def test_the_first_event_of_a_topic_begins_anew(move: Move) -> None:
    assert [move(500, 1000), move(0, 2), move(2, 3)] == [1000, 2, 3]


@pytest.mark.parametrize(
    ("end", "left"),
    [
        (0, 0),
        (3, 0),  # three events wait, and none of them was applied
        (1000, 1000),
        (1001, 1000),
    ],
)
def test_of_a_topic_made_anew_nothing_is_applied(
    move: Move, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, end: int, left: int
) -> None:
    move(500, 1000)
    monkeypatch.setattr(stream_lag, "ends", lambda *_: {(TOPIC, 0): end})
    found = stream_progress._ends(cast(Any, None), admin, [TOPIC])
    assert stream_lag.applied(admin, [TOPIC]) == {(TOPIC, 0): left}
    assert stream_lag.waiting(found, stream_lag.applied(admin, [TOPIC])) == end - left


def test_what_was_applied_meanwhile_stays(move: Move, admin: psycopg.Connection) -> None:
    move(500, 1000)
    before = stream_lag.applied(admin, [TOPIC])
    move(0, 4)
    assert stream_lag.begin_anew(admin, before, {(TOPIC, 0): 3}) == [(TOPIC, 0)]
    assert stream_lag.applied(admin, [TOPIC]) == {(TOPIC, 0): 4}
