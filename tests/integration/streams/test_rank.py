"""Which of two versions of a row is the newer: a change always, beside a row that a snapshot of its epoch read."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from promptsales import connectors
from promptsales.settings import Settings
from promptsales.stream_contracts import stream_contracts
from streams.decode import Message
from streams.repair import Repair, Version, repair
from tests.integration.streams.conftest import Apply
from tests.support.campaigning import start_campaigns
from tests.support.events import COMMITTED_US, message, metric
from tests.support.streaming import assert_equal_to_the_source, followed, is_followed, settle, wait

A = str(UUID(int=1))
FIVE, USUAL = Decimal("5.0000"), Decimal("1.2500")
CORE = "select metric_id, spend, is_deleted, src_lsn, src_is_snapshot from core.campaign_metrics order by 1"
READ = [message("r", metric(number, A), 9) for number in (1, 2)]
# before the snapshot's position in the log, as they were written before; committed after it
CHANGED = [message("u", metric(1, A, spend="5.0000"), 8), message("d", None, 7, before={"id": 2})]


@pytest.mark.parametrize(
    ("batches", "last_spend"),
    # of a delete that comes first nothing is known but the key
    [([READ, CHANGED], USUAL), ([CHANGED, READ], None), ([[*READ, *CHANGED]], None), ([[*CHANGED, *READ]], None)],
)
def test_a_change_in_flight_while_the_slot_was_made(
    apply: Apply, warehouse: psycopg.Connection, batches: list[list[Message]], last_spend: Decimal | None
) -> None:
    for batch in batches:
        apply(batch)
    assert warehouse.execute(CORE).fetchall() == [(1, FIVE, False, 8, False), (2, last_spend, True, 7, False)]


def test_such_a_change_in_quarantine(apply: Apply, warehouse: psycopg.Connection) -> None:
    state = "select payload->>'src_lsn', release_reason from ops.quarantine"
    apply([message("r", metric(1, A, clicks=-1), 9)])
    apply([message("u", metric(1, A, clicks=-2), 8)])
    apply([message("r", metric(1, A), 9)])
    assert warehouse.execute(state).fetchall() == [("8", None)]
    apply([message("u", metric(1, A), 8)])
    assert warehouse.execute(state).fetchall() == [("8", "repaired")]


@pytest.mark.parametrize("version", [Version(1, 9, True), Version(1, 0, True)])
def test_a_repair_is_no_newer_than_what_it_replaces(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection, version: Version
) -> None:
    if version.lsn:
        apply(READ[:1])
    gone = Repair(1, None, version, COMMITTED_US)
    assert asyncio.run(repair(stack, stream_contracts()["campaign_metrics"], [gone])) == []
    assert warehouse.execute("select metric_id, is_deleted from core.campaign_metrics").fetchall() == [(1, True)]
    apply(CHANGED[:1] if version.lsn else READ[:1])
    spend = FIVE if version.lsn else USUAL
    assert warehouse.execute("select spend, is_deleted from core.campaign_metrics").fetchall() == [(spend, False)]


@pytest.fixture
def writers(stack: Settings) -> Iterator[list[psycopg.Connection]]:
    """Three transactions of PromptAds' application, none begun."""
    connections = [psycopg.connect(stack.address("promptads")) for _ in range(3)]
    yield connections
    for connection in connections:
        connection.close()


def test_transactions_that_are_open_while_debezium_makes_its_slot(
    stack: Settings, warehouse: psycopg.Connection, writers: list[psycopg.Connection]
) -> None:
    """A slot waits twice for those that are open; what begins between, and commits last, comes as changes."""
    first, second, third = writers
    with followed(stack):
        start_campaigns(stack)
        settle(stack)
        number = begin(first)
        epoch = connectors.snapshot_again(stack, "promptads")
        wait(lambda: is_waited_for(stack.address("sources_admin"), number))
        number = begin(second)
        first.commit()
        wait(lambda: is_waited_for(stack.address("sources_admin"), number))
        third.execute("update promptads.campaigns set budget = 77")
        third.execute("delete from promptads.ads")
        second.commit()
        read = "select count(*) from core.campaigns where src_epoch = %s and src_is_snapshot and budget <> 77"
        wait(lambda: warehouse.execute(read, [epoch]).fetchone() == (8,))
        third.commit()
        wait(lambda: is_followed(stack))
        settle(stack)
        assert_equal_to_the_source(stack, warehouse)
    assert warehouse.execute("select count(*) from core.ads where not is_deleted").fetchone() == (0,)
    assert warehouse.execute("select distinct budget from core.campaigns").fetchall() == [(77,)]
    older = """
        select bool_and(c.src_lsn < r.src_lsn) from core.campaigns c cross join core.ad_groups r
        where r.src_is_snapshot and not c.src_is_snapshot
    """
    assert warehouse.execute(older).fetchone() == (True,)


def begin(connection: psycopg.Connection) -> str:
    """Begin a transaction that writes; its number."""
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
