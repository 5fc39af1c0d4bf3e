"""The order of versions decides which of two versions of a row is newer."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import connectors
from promptsales.stream.messages import Message
from promptsales.stream.repair import Repair, repair
from promptsales.stream.version import Version
from tests.integration.streams.conftest import Apply
from tests.support.campaigning import start_campaigns
from tests.support.events import COMMITTED_US, METRICS, message, metric
from tests.support.streaming import assert_equal_to_the_source, followed, is_followed, settle, wait

A = str(UUID(int=1))
PARTITION = 99
FIVE, USUAL = Decimal("5.0000"), Decimal("1.2500")
CORE = "select metric_id, spend, is_deleted, src_commit, src_lsn from core.campaign_metrics order by 1"
SPEND = "select spend, is_deleted from core.campaign_metrics"


def test_a_snapshot_that_is_taken_again(apply: Apply, warehouse: psycopg.Connection) -> None:
    """Connect may be killed before it stores its offsets: Debezium then reads all again in the same epoch."""
    apply([message("r", metric(1, A, spend="3.0000"), 4), message("u", metric(1, A), 8)])
    apply([message("r", metric(1, A, spend="5.0000"), 9)])
    apply([message("u", metric(1, A), 8)])
    assert warehouse.execute(SPEND).fetchall() == [(FIVE, False)]
    apply([message("u", metric(1, A), 10)])
    assert warehouse.execute(SPEND).fetchall() == [(USUAL, False)]


NEW = """
    insert into promptads.campaigns (user_id, name, objective, budget, status, start_date, end_date)
    select user_id, 'new', objective, budget, status, start_date, end_date from promptads.campaigns limit 1
"""
# of a transaction open while the slot was created: before the snapshot's position, but committed after it
READ = [message("r", metric(number, A), 9) for number in (1, 2)]
CHANGED = [
    message("u", metric(1, A, spend="3.0000"), 6, commit=12),
    message("u", metric(1, A, spend="5.0000"), 8, commit=12),
    message("d", None, 7, before={"id": 2}, commit=12),
]


@pytest.mark.parametrize(
    ("batches", "last_spend"),
    # a delete that comes first leaves only the key
    [([READ, CHANGED], USUAL), ([CHANGED, READ], None), ([[*READ, *CHANGED]], None), ([[*CHANGED[::-1], *READ]], None)],
)
def test_a_change_that_was_in_flight_while_the_slot_was_made(
    apply: Apply, warehouse: psycopg.Connection, batches: list[list[Message]], last_spend: Decimal | None
) -> None:
    for batch in batches:
        apply(batch)
    assert warehouse.execute(CORE).fetchall() == [(1, FIVE, False, 12, 8), (2, last_spend, True, 12, 7)]
    apply([message("u", metric(1, A), 20, commit=13)])
    assert warehouse.execute(CORE).fetchall()[0] == (1, USUAL, False, 13, 20)


def first(op: str, after: dict[str, Any] | None, lsn: int, before: dict[str, Any] | None = None) -> Message:
    """Return a change of the first transaction after a snapshot, on a partition that is empty in Kafka."""
    return message(op, after, lsn, before=before, commit=None)._replace(partition=PARTITION)


FIRST = [
    first("u", metric(1, A, spend="3.0000"), 6),
    first("u", metric(1, A, spend="5.0000"), 8),
    first("d", None, 7, before={"id": 2}),
    first("c", metric(3, A), 8),
]


@pytest.mark.parametrize(
    ("batches", "last_spend"),
    [([READ, FIRST], USUAL), ([[*READ, *FIRST]], None), ([READ, FIRST[:1], FIRST[1:], FIRST], USUAL)],
)
def test_a_change_of_the_first_transaction_after_the_snapshot(
    apply: Apply, warehouse: psycopg.Connection, batches: list[list[Message]], last_spend: Decimal | None
) -> None:
    for batch in batches:
        apply(batch)
    kept = [(1, FIVE, False, 9, 8), (2, last_spend, True, 9, 7), (3, USUAL, False, 8, 8)]
    assert warehouse.execute(CORE).fetchall() == kept
    apply([message("u", metric(1, A), 20, commit=12)])
    assert warehouse.execute(CORE).fetchall()[0] == (1, USUAL, False, 12, 20)
    apply(FIRST)
    assert warehouse.execute(CORE).fetchall()[0] == (1, USUAL, False, 12, 20)


def test_such_a_change_in_quarantine(apply: Apply, warehouse: psycopg.Connection) -> None:
    state = "select payload->'src_commit', payload->'src_lsn', release_reason from ops.quarantine"
    apply([message("r", metric(1, A, clicks=-1), 9)])
    apply([first("u", metric(1, A, clicks=-2), 7)])
    apply([message("r", metric(1, A), 9)])
    assert warehouse.execute(state).fetchall() == [(9, 7, None)]
    apply([first("u", metric(1, A), 8)])
    assert warehouse.execute(state).fetchall() == [(9, 7, "repaired")]


def test_such_a_change_that_kafka_gives_again_is_older_than_a_later_snapshot(
    apply: Apply, warehouse: psycopg.Connection
) -> None:
    apply([*READ, *FIRST[:2]])
    apply([message("r", metric(1, A), 30)])
    at = [METRICS, PARTITION]
    warehouse.execute("insert into ops.stream_offset (topic, partition, next_offset) values (%s, %s, 9)", at)
    try:
        for batch in ([*READ, *FIRST[:2]], FIRST[:2]):
            apply(batch)
            assert warehouse.execute(CORE).fetchall()[0] == (1, USUAL, False, 30, 30)
    finally:
        warehouse.execute("delete from ops.stream_offset where (topic, partition) = (%s, %s)", at)


def test_such_a_change_of_a_new_epoch_in_a_recreated_topic(apply: Apply, warehouse: psycopg.Connection) -> None:
    """The offsets of a recreated topic begin at 0 again, so they say nothing about what was applied."""
    apply([message("r", metric(1, A), 30)])
    at = [METRICS, PARTITION]
    warehouse.execute("insert into ops.stream_offset (topic, partition, next_offset) values (%s, %s, 9)", at)
    try:
        apply([message("r", metric(1, A), 40, epoch=2), FIRST[1]._replace(epoch=2)])
        assert warehouse.execute(CORE).fetchall() == [(1, FIVE, False, 40, 8)]
    finally:
        warehouse.execute("delete from ops.stream_offset where (topic, partition) = (%s, %s)", at)


@pytest.mark.parametrize("version", [Version(1, 9, 9, is_snapshot=True), Version(1, 0, 0, is_snapshot=True)])
def test_a_repair_is_no_newer_than_what_it_replaces(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection, version: Version
) -> None:
    if version.lsn:
        apply([message("r", metric(1, A), 9)])
    gone = Repair(1, None, version, COMMITTED_US)
    assert asyncio.run(repair(stack, stream_contracts()["campaign_metrics"], [gone])) == []
    assert warehouse.execute("select metric_id, is_deleted from core.campaign_metrics").fetchall() == [(1, True)]
    later = message("u", metric(1, A, spend="5.0000"), 9) if version.lsn else message("r", metric(1, A), 9)
    apply([later])
    spend = FIVE if version.lsn else USUAL
    assert warehouse.execute(SPEND).fetchall() == [(spend, False)]


@pytest.fixture
def writers(stack: Settings) -> Iterator[list[psycopg.Connection]]:
    """Return three connections of PromptAds' application, without a transaction."""
    connections = [psycopg.connect(stack.address("promptads")) for _ in range(3)]
    yield connections
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("is_read", [False, True])
def test_transactions_that_are_open_while_debezium_makes_its_slot(
    stack: Settings, warehouse: psycopg.Connection, writers: list[psycopg.Connection], is_read: bool
) -> None:
    """A slot waits twice for open transactions; one that begins in between and commits last comes as changes."""
    first, second, third = writers
    sources = stack.address("sources_admin")
    with followed(stack):
        start_campaigns(stack)
        settle(stack)
        number = begin(first)
        epoch = connectors.snapshot_again(stack, "promptads")
        wait(lambda: is_waited_for(sources, number))
        number = begin(second)
        first.commit()
        wait(lambda: is_waited_for(sources, number))
        third.execute("update promptads.campaigns set budget = 66")
        third.execute("update promptads.campaigns set budget = 77")
        third.execute("delete from promptads.ads")
        third.execute(NEW)
        second.commit()
        read = "select count(*) from core.campaigns where src_epoch = %s and src_is_snapshot and budget <> 77"
        wait(lambda: warehouse.execute(read, [epoch]).fetchone() == (8,) if is_read else is_made(sources))
        third.commit()
        wait(lambda: is_followed(stack))
        settle(stack)
        assert_equal_to_the_source(stack, warehouse)
    assert warehouse.execute("select count(*) from core.ads where not is_deleted").fetchone() == (0,)
    assert warehouse.execute("select budget, count(*) from core.campaigns group by 1").fetchall() == [(77, 9)]
    older = """
        select bool_and(c.src_lsn < r.src_lsn) from core.campaigns c cross join core.ad_groups r
        where r.src_is_snapshot and not c.src_is_snapshot
    """
    assert warehouse.execute(older).fetchone() == (True,)


def is_made(address: str) -> bool:
    """Return True once the slot exists: later commits are not in the snapshot."""
    query = "select from pg_replication_slots where slot_name = 'promptads' and confirmed_flush_lsn is not null"
    with psycopg.connect(address) as connection:
        return connection.execute(query).fetchone() is not None


def begin(connection: psycopg.Connection) -> str:
    """Begin a transaction that writes, and return its id."""
    row = connection.execute("select pg_current_xact_id()::text").fetchone()
    return str(row[0]) if row else ""


def is_waited_for(address: str, number: str) -> bool:
    query = """
        select from pg_locks l join pg_stat_activity a using (pid)
        where l.locktype = 'transactionid' and not l.granted and l.transactionid::text = %s
          and a.backend_type = 'walsender'
    """
    with psycopg.connect(address) as connection:
        return connection.execute(query, [number]).fetchone() is not None
