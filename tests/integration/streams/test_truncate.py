"""A table truncated at the source is emptied in the warehouse, by events of the test and on the real stream."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.audit import audit
from promptsales.stream.messages import Message
from promptsales.stream.recount import rebuild
from promptsales.stream.truncate import truncate
from promptsales.stream.truncations import Truncation, read_pending
from tests.integration.streams.conftest import Apply
from tests.support.campaigning import ADVERTISING, start_campaigns
from tests.support.events import message
from tests.support.events import metric as metric_of
from tests.support.figures import assert_equal_to_a_recount, kept
from tests.support.streaming import assert_equal_to_the_source, followed, settle, wait
from tests.support.working import Working

METRICS = stream_contracts()["campaign_metrics"]
A = str(UUID(int=1))
NOW = datetime.now(UTC)
_BREAK = "update promptads.{0} set clicks = -1 where id = (select max(id) from promptads.{0})"
_MEASURE = """
    insert into promptads.campaign_metrics (campaign_id, impressions) select id, {} from promptads.campaigns;
    insert into promptads.ad_metrics (ad_id, impressions) select id, {} from promptads.ads;
"""
_ALIVE = """
    select 'campaign', impressions, count(*) from core.campaign_metrics where not is_deleted group by 2
    union all select 'ad', impressions, count(*) from core.ad_metrics where not is_deleted group by 2 order by 1, 2
"""
_HELD = "select count(*) from ops.quarantine where released_at is null"


def metric(number: int, **changes: Any) -> dict[str, Any]:
    return metric_of(number, A, timestamp=NOW.isoformat(), **changes)


def event(op: str, after: dict[str, Any] | None, lsn: int, **more: Any) -> Message:
    return message(op, after, lsn, at_us=int(NOW.timestamp() * 1_000_000), **more)


def truncation(lsn: int, epoch: int = 1) -> Message:
    """Return a TRUNCATE event as Debezium sends it, without a key."""
    return event("t", None, lsn, epoch=epoch)._replace(key=None)


def empty(stack: Settings, warehouse: psycopg.Connection) -> list[int]:
    """Apply the pending truncations; return how many rows each deleted."""
    return [truncate(stack, warehouse, one) for one in read_pending(warehouse, "promptads")]


def alive(warehouse: psycopg.Connection) -> list[tuple[int, int, int]]:
    query = "select metric_id, src_epoch, src_lsn from core.campaign_metrics where not is_deleted order by 1"
    return warehouse.execute(query).fetchall()


def test_what_is_older_is_deleted_and_what_is_newer_stays(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection
) -> None:
    bad = metric(4, clicks=-1)
    apply([event("c", metric(number), number) for number in (1, 2, 3)] + [event("c", bad, 4)])
    apply([truncation(10), truncation(10), event("u", metric(2, clicks=3), 11)])
    assert read_pending(warehouse, "promptads") == [Truncation("campaign_metrics", 1, 10, 10, NOW)]
    warehouse.execute("delete from ops.touched")
    assert empty(stack, warehouse) == [3]
    assert alive(warehouse) == [(2, 1, 11)]
    assert warehouse.execute("select metric_id, src_lsn from core.campaign_metrics where is_deleted").fetchall() == [
        (1, 10), (3, 10), (4, 10),
    ]  # fmt: skip
    assert warehouse.execute(_HELD).fetchone() == (0,)
    assert warehouse.execute("select core_table, entity_id from ops.touched").fetchall() == [("campaign_metrics", A)]
    assert [row[3] for row in kept(warehouse, "campaign_total")] == [3]
    assert_equal_to_a_recount(warehouse)
    apply([truncation(10)])
    assert empty(stack, warehouse) == []
    assert warehouse.execute("select deleted, applied_at is null from ops.truncation").fetchall() == [(3, False)]


def test_an_older_row_that_comes_later_stays_out(stack: Settings, apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([truncation(10)])
    older = [event("r", metric(1), 5), event("c", metric(2), 6), event("c", metric(3, clicks=-1), 7)]
    apply(older)
    assert empty(stack, warehouse) == [0]
    # for example of a replayed dead letter
    apply([*older, event("d", None, 8, before={"id": 4})])
    assert alive(warehouse) == []
    assert warehouse.execute("select count(*) from ops.quarantine").fetchone() == (0,)
    apply([event("c", metric(1), 11), event("r", metric(2), 3, epoch=2)])
    assert alive(warehouse) == [(1, 1, 11), (2, 2, 3)]
    assert_equal_to_a_recount(warehouse)


@pytest.fixture
def ads(stack: Settings, warehouse: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Follow PromptAds with some measurements, two of which break a rule."""
    with followed(stack), psycopg.connect(stack.address("promptads"), autocommit=True) as connection:
        connection.execute("truncate promptads.ad_metrics")
        start_campaigns(stack)
        with Working(stack, ADVERTISING) as work:
            wait(lambda: work.commits > 60)
        for table in ("campaign_metrics", "ad_metrics"):
            connection.execute(_BREAK.format(table).encode())
        settle(stack)
        yield connection


def test_emptied_tables(stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    assert warehouse.execute(_HELD).fetchone() == (2,)
    warehouse.execute("delete from ops.touched")
    with ads.transaction():
        ads.execute(_MEASURE.format(1, 1).encode())
        ads.execute("truncate promptads.campaign_metrics, promptads.ad_metrics restart identity")
        ads.execute(_MEASURE.format(2, 2).encode())
    settle(stack)
    assert warehouse.execute(_ALIVE).fetchall() == [("ad", 2, 16), ("campaign", 2, 8)]
    assert warehouse.execute(_HELD).fetchone() == (0,)
    assert_equal_to_the_source(stack, warehouse)
    assert_equal_to_a_recount(warehouse)
    assert {row[2] for row in kept(warehouse, "campaign_total")} == {2}
    assert rebuild(warehouse, 14).corrected == 0
    touched = "select core_table, count(distinct entity_id) from ops.touched group by 1 order by 1"
    assert warehouse.execute(touched).fetchall() == [("ad_metrics", 16), ("campaign_metrics", 8)]
    # a missing row is repaired although no event of it came after the truncation
    warehouse.execute("delete from core.campaign_metrics where not is_deleted")
    with psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source:
        found = audit(stack, METRICS, source, warehouse, timedelta(hours=3))
    assert (found.missing, found.repaired, found.left) == (8, 8, ())
    rebuild(warehouse, 14)
    assert_equal_to_the_source(stack, warehouse)
