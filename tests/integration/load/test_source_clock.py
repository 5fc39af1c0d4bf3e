"""A source's clock was set back: rows stamped below the watermark are still read, and compared."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.load.steps import load, preview
from promptsales.monitoring.doctor import diagnose
from promptsales.monitoring.freshness import Freshness, freshness
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")
BY_HAND = "insert into crm.leads (owner_user_id, email, updated_at, created_at) values (%s, 'a@example.com', %s, %s)"


def fresh(warehouse: psycopg.Connection) -> Freshness:
    (freshness_of_leads,) = (feed for feed in freshness(warehouse) if feed.feed == "leads")
    return freshness_of_leads


@pytest.fixture
def silent(stack: Settings) -> Iterator[psycopg.Connection]:
    """Switch the CRM's triggers off, so that rows can be stamped by hand as a wrong clock would."""
    address = make_conninfo(stack.address("sources_admin"), dbname="promptcrm")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


def test_a_watermark_after_the_sources_present(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    leads.add(crm, 2)
    load(LEADS, source, warehouse, None, "test")
    reconcile(LEADS, source, warehouse, "test", Limits())
    admin.execute(
        "update ops.feed set last_sync_timestamp = clock_timestamp() + interval '1 hour',"
        " complete_through = clock_timestamp() + interval '1 hour'"
    )
    leads.add(crm, 1)
    assert preview(LEADS, source, warehouse, None).rows == 3
    result = load(LEADS, source, warehouse, None, "test")
    assert (result.inserted, result.complete_through) == (1, None)
    (now,) = crm.execute("select clock_timestamp()").fetchone() or (None,)
    assert result.last_sync_timestamp is not None
    assert result.last_sync_timestamp < now
    assert (fresh(warehouse).held_by or "").startswith("the source's clock went back by ")
    (finding,) = (finding for finding in diagnose(stack) if finding.where == "feed leads")
    assert "the source's clock went back by" in finding.what
    assert "`promptsales reconcile leads`" in finding.todo

    # until the source was compared; an earlier comparison does not count, whichever clock recorded it
    admin.execute("update ops.reconciliation set compared_at = compared_at + interval '1 hour'")
    assert load(LEADS, source, warehouse, None, "test").complete_through is None
    reconcile(LEADS, source, warehouse, "test", Limits())
    assert load(LEADS, source, warehouse, None, "test").complete_through is not None
    assert (fresh(warehouse).state, fresh(warehouse).held_by) == ("fresh", None)
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_a_clock_that_has_passed_the_watermark_again(
    stack: Settings,
    crm: psycopg.Connection,
    silent: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    load(LEADS, source, warehouse, None, "test")
    (now,) = crm.execute("select clock_timestamp()").fetchone() or (None,)
    assert isinstance(now, datetime)
    # an hour ago the source's clock was half an hour fast; ten minutes later it was corrected
    ago = {minutes: now - timedelta(minutes=minutes) for minutes in (30, 45, 60)}
    admin.execute("update ops.source_clock set noted_at = %s, read_at = %s", [ago[60], ago[30]])
    admin.execute("update ops.feed set last_sync_timestamp = %s, complete_through = %s", [ago[30], ago[30]])
    silent.execute(BY_HAND, [leads.OWNER, ago[45], ago[45]])

    result = load(LEADS, source, warehouse, None, "test")
    assert (result.inserted, result.complete_through) == (1, None)
    leads.assert_equal_to_source(crm, warehouse, stack)
    reconcile(LEADS, source, warehouse, "test", Limits())
    assert load(LEADS, source, warehouse, None, "test").complete_through is not None


def test_a_clock_that_runs_like_ours_opens_no_gap(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    # neither another time of day at the source nor a clock that was set forward is a problem
    admin.execute(
        "update ops.source_clock set noted_at = noted_at - interval '1 hour', read_at = read_at - interval '2h'"
    )
    assert load(LEADS, source, warehouse, None, "test").complete_through is not None
