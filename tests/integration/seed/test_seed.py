"""Sample data in the real systems: as planned, all or nothing, and never twice."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event, Timer
from typing import Any

import psycopg
import pytest
import redis
from bson import ObjectId
from pymongo import MongoClient

from promptsales.seed import seed
from promptsales.seed.live import live
from promptsales.seed.planted import PLANTED
from promptsales.seed.promptcontent import assets
from promptsales.seed.world import SCALES, Size, World
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


def _documents(settings: Settings) -> dict[str, set[Any]]:
    """Return the ids of all documents by collection."""
    with MongoClient[dict[str, Any]](settings.address("promptcontent")) as client:
        database = client.get_default_database()
        return {
            name: {document["_id"] for document in database[name].find({}, {"_id": 1})}
            for name in ("prompt_history", "content_assets")
        }


def test_content_may_take_longer_than_a_transaction_of_the_server(empty: Settings) -> None:
    def dawdle(text: str) -> None:
        if text.startswith("promptcontent"):
            time.sleep(1.5)

    with MongoClient[dict[str, Any]](empty.address("promptcontent_admin")) as admin:
        limit = admin.admin.command("getParameter", 1, transactionLifetimeLimitSeconds=1)
        admin.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=1)
        try:
            rows = seed(empty, Size.SMALL, ANCHOR, dawdle).rows
        finally:
            admin.admin.command(
                "setParameter", 1, transactionLifetimeLimitSeconds=limit["transactionLifetimeLimitSeconds"]
            )
    written = {name: len(ids) for name, ids in _documents(empty).items()}
    assert written == {"prompt_history": SMALL.prompts, "content_assets": SMALL.assets}
    assert {name: rows[f"promptcontent.{name}"] for name in written} == written


@pytest.mark.parametrize("batch", ["promptcontent.prompt_history 2,000", "promptcontent.content_assets 1,000"])
def test_content_that_was_killed_is_continued_once(empty: Settings, batch: str) -> None:
    class Killed(BaseException):
        pass

    def kill(text: str) -> None:
        if text == batch:
            raise Killed

    with pytest.raises(Killed):
        seed(empty, Size.SMALL, ANCHOR, kill)
    seed(empty, Size.SMALL, ANCHOR)
    filled = _documents(empty)
    assert {name: len(ids) for name, ids in filled.items()} == {
        "prompt_history": SMALL.prompts, "content_assets": SMALL.assets,
    }  # fmt: skip
    assert "promptcontent" in seed(empty, Size.SMALL, ANCHOR).already_there
    assert _documents(empty) == filled


def test_content_of_somebody_else_is_left_alone(empty: Settings) -> None:
    asset = next(assets(World(ANCHOR, SMALL))) | {"_id": ObjectId()}
    with MongoClient[dict[str, Any]](empty.address("promptcontent")) as client:
        client.get_default_database().content_assets.insert_one(asset)
    assert "promptcontent" in seed(empty, Size.SMALL, ANCHOR).already_there
    assert _documents(empty) == {"prompt_history": set(), "content_assets": {asset["_id"]}}
