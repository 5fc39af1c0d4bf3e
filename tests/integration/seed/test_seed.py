"""Sample data in the real systems: as planned, all or nothing, and never twice."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event, Timer
from typing import Any

import psycopg
import pytest
import redis

from promptsales.seed import seed
from promptsales.seed.live import live
from promptsales.seed.planted import PLANTED
from promptsales.seed.world import SCALES, Size
from promptsales.settings import Settings
from tests.support import systems

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = SCALES[Size.SMALL]


@pytest.fixture
def empty(stack: Settings) -> Iterator[Settings]:
    """Empty every system, before and after."""
    systems.empty(stack)
    yield stack
    systems.empty(stack)


def _one(settings: Settings, statement: Any) -> Any:
    with psycopg.connect(settings.address("promptcrm")) as connection:
        row = connection.execute(statement).fetchone()
    assert row
    return row[0]


def test_small_then_a_repeat_then_live(empty: Settings) -> None:
    first = seed(empty, Size.SMALL, ANCHOR)

    assert first.planted == PLANTED
    assert first.already_there == ()
    assert first.rows["crm.leads"] == _one(empty, "select count(*) from crm.leads") == SMALL.leads
    assert first.rows["crm.opportunity_stage_history"] == _one(
        empty, "select count(*) from crm.opportunity_stage_history"
    )
    assert _one(empty, "select count(*) from crm.leads where created_at > updated_at") == PLANTED["leads"]
    assert _one(empty, "select count(*) from crm.opportunities where closed_at < created_at") == 0

    stamp = _one(empty, "select max(updated_at) from crm.leads")
    again = seed(empty, Size.SMALL, ANCHOR)
    assert again.is_unchanged
    assert len(again.already_there) == 5
    assert _one(empty, "select max(updated_at) from crm.leads") == stamp

    stop = Event()
    timer = Timer(3, stop.set)
    timer.start()
    changed = live(empty, Size.SMALL, ANCHOR, rate=100, stop=stop)
    timer.join()
    assert changed["crm.leads"] > 0
    assert _one(empty, "select count(*) from crm.leads where created_at > updated_at") == PLANTED["leads"]


def test_counters_that_the_stream_wrote_first_stay(empty: Settings) -> None:
    seed(empty, Size.SMALL, ANCHOR)
    with redis.Redis.from_url(empty.address("redis"), decode_responses=True) as cache:
        counter = next(cache.scan_iter("counter:campaign:*:day:*"))
        seeded = cache.hgetall(counter)
        streamed = {**seeded, "impressions": "7", "version": "41"}
        cache.flushdb()
        cache.hset(counter, mapping=streamed)

        assert "redis" not in seed(empty, Size.SMALL, ANCHOR).already_there

        assert cache.hgetall(counter) == streamed != seeded
        assert sum(1 for _ in cache.scan_iter("session:*")) == SMALL.sessions


def test_killed_in_the_middle_leaves_a_system_empty(empty: Settings) -> None:
    class Killed(BaseException):
        pass

    def kill(text: str) -> None:
        if text.startswith("crm.leads"):
            raise Killed

    with pytest.raises(Killed):
        seed(empty, Size.SMALL, ANCHOR, kill)
    assert _one(empty, "select count(*) from crm.accounts") == 0

    repaired = seed(empty, Size.SMALL, ANCHOR)
    assert repaired.already_there == ("promptsales", "promptads")
    assert repaired.rows["crm.leads"] == SMALL.leads
