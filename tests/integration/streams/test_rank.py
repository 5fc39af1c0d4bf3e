"""Which of two versions of a row is the newer."""

import asyncio
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.repair import Repair, Version, repair
from tests.integration.streams.conftest import Apply
from tests.support.events import COMMITTED_US, message, metric

A = str(UUID(int=1))
FIVE, USUAL = Decimal("5.0000"), Decimal("1.2500")
SPEND = "select spend, is_deleted from core.campaign_metrics"


def test_a_snapshot_that_is_taken_again(apply: Apply, warehouse: psycopg.Connection) -> None:
    """Connect may be killed before it keeps how far it is: Debezium then reads all anew, in the same epoch."""
    apply([message("r", metric(1, A, spend="3.0000"), 4), message("u", metric(1, A), 8)])
    apply([message("r", metric(1, A, spend="5.0000"), 9)])
    apply([message("u", metric(1, A), 8)])
    assert warehouse.execute(SPEND).fetchall() == [(FIVE, False)]
    apply([message("u", metric(1, A), 10)])
    assert warehouse.execute(SPEND).fetchall() == [(USUAL, False)]


@pytest.mark.parametrize("version", [Version(1, 9, True), Version(1, 0, True)])
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
