"""The applied offset of each partition, for events that come again or out of order."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from promptsales.settings import Settings
from promptsales.stream import lag
from promptsales.stream.batch import Batch, Offset
from promptsales.stream.sink import Sink

TOPIC = "anew"
AT = datetime(2026, 3, 2, tzinfo=UTC)
Move = Callable[[int, int], int]


@pytest.fixture
def move(stack: Settings, admin: psycopg.Connection) -> Iterator[Move]:
    """Return a function that applies offsets of a partition and returns the next one; forget the topic afterwards."""

    async def run(first: int, following: int) -> None:
        async with await psycopg.AsyncConnection.connect(stack.address("warehouse"), autocommit=True) as connection:
            await Sink(connection, 14).apply(Batch((), (), (Offset(TOPIC, 0, first, following, AT, 1, 1),)))

    def moved(first: int, following: int) -> int:
        asyncio.run(run(first, following))
        return lag.read_applied(admin, [TOPIC])[TOPIC, 0]

    yield moved
    admin.execute("delete from ops.stream_offset where topic = %s", [TOPIC])


def test_events_that_come_again_turn_nothing_back(move: Move, admin: psycopg.Connection) -> None:
    assert [move(0, 5), move(5, 1000), move(3, 7), move(900, 1001)] == [5, 1000, 1000, 1001]
    known = "select source_at, source_lsn, unnamed_events from ops.stream_offset where topic = %s"
    assert admin.execute(known, [TOPIC]).fetchone() == (AT, 1, 4)


def test_the_first_event_of_a_topic_begins_anew(move: Move) -> None:
    assert [move(500, 1000), move(0, 2), move(2, 3)] == [1000, 2, 3]
