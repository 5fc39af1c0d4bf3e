"""Quarantined rows of the stream are judged again when their rule changes or a date no longer lies in the future."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.judge_again import judge_again
from promptsales.stream.messages import Message
from promptsales.stream.sink import Sink
from tests.integration.streams.conftest import Apply
from tests.integration.streams.test_left_out import without
from tests.integration.streams.test_sink import NOW, A, campaign, event, iso, metric
from tests.support.figures import assert_equal_to_a_recount, kept
from tests.support.snapshots import batch_of

METRICS, CAMPAIGNS = (stream_contracts()[name] for name in ("campaign_metrics", "campaigns"))
STATE = "select key, rules, tries, suite_checksum = 'before', release_reason from ops.quarantine order by key"
YESTERDAY = NOW - timedelta(days=1)


def ahead(number: int, lsn: int, hours: int) -> Message:
    """Return a measurement committed yesterday whose time was some hours after its commit."""
    row = metric(number, at=YESTERDAY + timedelta(hours=hours))
    return event("c", {**row, "updated_at": iso(YESTERDAY)}, lsn, at_us=int(YESTERDAY.timestamp() * 1_000_000))


def state(warehouse: psycopg.Connection) -> list[Any]:
    return warehouse.execute(STATE.encode()).fetchall()


def judged_before(stack: Settings, warehouse: psycopg.Connection, messages: list[Message], rule: str) -> None:
    """Put messages into quarantine as the decoder did under an older suite."""
    batch = batch_of(messages)

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(stack.address("warehouse"), autocommit=True) as connection:
            changes = tuple(change._replace(broken=[rule]) for change in batch.changes)
            await Sink(connection, 14).apply(batch._replace(changes=changes))

    asyncio.run(run())
    warehouse.execute("update ops.quarantine set suite_checksum = 'before'")


def test_the_day_has_come(stack: Settings, apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([ahead(1, 1, hours=2), ahead(2, 2, hours=48)])
    waiting = [(str(key), ["measured_in_the_future"], 1, False, None) for key in (1, 2)]
    assert state(warehouse) == waiting
    assert judge_again(stack, METRICS, warehouse) == 1
    assert state(warehouse) == [(*waiting[0][:4], "repaired"), waiting[1]]
    assert warehouse.execute("select metric_id, src_lsn from core.campaign_metrics").fetchall() == [(1, 1)]
    at = YESTERDAY + timedelta(hours=2)
    assert [row[:3] for row in kept(warehouse, "campaign_day")] == [(UUID(A), at.date(), 100)]
    assert_equal_to_a_recount(warehouse)
    # later versions of the source are applied as usual, late ones too
    apply([ahead(1, 1, hours=2), event("u", metric(1, impressions=7), 5)])
    assert warehouse.execute("select impressions from core.campaign_metrics").fetchall() == [(7,)]
    assert judge_again(stack, METRICS, warehouse) == 0
    assert state(warehouse) == [(*waiting[0][:4], "repaired"), waiting[1]]


def test_its_rule_has_changed(stack: Settings, apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([event("c", metric(1, spend="9.0000"), 1)])
    events = [event("u", metric(1), 2), event("c", metric(2, clicks=-1), 3), event("c", metric(3), 4)]
    judged_before(stack, warehouse, events, "a_rule_of_before")
    apply([event("u", metric(3, clicks=3), 9)])
    assert judge_again(stack, METRICS, warehouse) == 1
    assert state(warehouse) == [
        ("1", ["a_rule_of_before"], 1, True, "repaired"),
        ("2", ["clicks_negative"], 2, False, None),
        ("3", ["a_rule_of_before"], 1, True, "repaired"),
    ]
    rows = "select metric_id, src_lsn, spend::float, clicks from core.campaign_metrics order by 1"
    assert warehouse.execute(rows).fetchall() == [(1, 2, 1.25, 10), (3, 9, 1.25, 3)]
    assert_equal_to_a_recount(warehouse)


def test_history_begins_when_it_was_committed(stack: Settings, apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([campaign(1, op="c", at=YESTERDAY, updated_at=iso(YESTERDAY), created_at=iso(YESTERDAY))])
    noon = YESTERDAY + timedelta(hours=1)
    judged_before(stack, warehouse, [campaign(2, at=noon, status="paused")], "a_rule_of_before")
    assert judge_again(stack, CAMPAIGNS, warehouse) == 1
    history = "select status, nullif(valid_from, '-infinity'), nullif(valid_to, 'infinity') from core.campaigns_history"
    assert sorted(warehouse.execute(history).fetchall()) == [("active", None, noon), ("paused", noon, None)]


def test_what_cannot_be_published_stays(stack: Settings, apply: Apply, warehouse: psycopg.Connection) -> None:
    judged_before(stack, warehouse, [campaign(1, op="c", currency_code="EUR")], "value_too_long")
    warehouse.execute("""update ops.quarantine set payload = payload || '{"currency_code": "EURO"}'""")
    apply([without(event("c", metric(1), 2), "spend")])
    assert [judge_again(stack, contract, warehouse) for contract in (CAMPAIGNS, METRICS)] == [0, 0]
    waiting = [(A, ["value_too_long"], 2, False, None), ("1", ["spend_not_sent"], 1, False, None)]
    assert state(warehouse) == waiting
    # retried once a day: the table's columns may have become wider
    judge_again(stack, CAMPAIGNS, warehouse)
    assert state(warehouse) == waiting
    warehouse.execute("update ops.quarantine set last_tried_at = last_tried_at - interval '25 hours'")
    judge_again(stack, CAMPAIGNS, warehouse)
    assert state(warehouse) == [(*waiting[0][:2], 3, *waiting[0][3:]), waiting[1]]
