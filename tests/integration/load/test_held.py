"""Freshness names what holds `complete_through` and since when, and an alert does once it has lasted."""

from datetime import datetime, timedelta

import psycopg

from promptsales.feeds.state import claim_hold_alert
from promptsales.load.steps import extract, load
from promptsales.monitoring.freshness import Freshness, freshness
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")


def fresh(warehouse: psycopg.Connection) -> Freshness:
    (freshness_of_leads,) = (feed for feed in freshness(warehouse) if feed.feed == "leads")
    return freshness_of_leads


def test_a_stuck_session(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptcrm"), application_name="forgotten editor") as stuck:
        (began,) = stuck.execute("select now()").fetchone() or (None,)
        assert isinstance(began, datetime)
        session = f"session {stuck.info.backend_pid} of promptcrm_owner (forgotten editor, idle in transaction)"
        leads.add(crm, 1)
        staged = extract(LEADS, source, warehouse, None, "test")
        load(LEADS, source, warehouse, None, "test")
        leads_freshness = fresh(warehouse)
        # every feed and every hour waits for the same transaction: only one of them sends the alert
        contacts = extract(contract("contacts"), source, warehouse, None, "test")
        later = extract(LEADS, source, warehouse, None, "test")
        assert [claim_hold_alert(warehouse, "promptcrm", feed) for feed in (staged, contacts, later)] == [
            True,
            False,
            False,
        ]
    assert (leads_freshness.held_since, leads_freshness.complete_through) == (began, began - timedelta(seconds=5))
    assert session in (leads_freshness.held_by or "")
    # seen again later, it is worth an alert
    assert not staged.progress.is_held_back(began + timedelta(minutes=15))
    assert staged.progress.is_held_back(began + timedelta(minutes=16))

    load(LEADS, source, warehouse, None, "test")
    leads_freshness = fresh(warehouse)
    assert (leads_freshness.state, leads_freshness.held_by, leads_freshness.held_since) == ("fresh", None, None)


def test_a_prepared_transaction(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptcrm")) as writer:
        writer.tpc_begin("pending")
        leads.add(writer, 1)
        writer.tpc_prepare()
        try:
            (prepared,) = crm.execute("select prepared from pg_prepared_xacts").fetchone() or (None,)
            staged = extract(LEADS, source, warehouse, None, "test")
            leads_freshness = fresh(warehouse)
        finally:
            writer.tpc_rollback()
    assert isinstance(prepared, datetime)
    assert (leads_freshness.held_since, leads_freshness.complete_through, leads_freshness.state) == (
        prepared,
        None,
        "never loaded",
    )
    assert "prepared transaction" in (leads_freshness.held_by or "")
    assert staged.progress.is_held_back(prepared + timedelta(minutes=16))
    assert claim_hold_alert(warehouse, "promptcrm", staged)


def test_another_transaction_is_news(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptcrm")) as stuck:
        alerts = []
        for _ in range(2):
            stuck.execute("select")
            staged = extract(LEADS, source, warehouse, None, "test")
            alerts += [
                claim_hold_alert(warehouse, "promptcrm", staged),
                claim_hold_alert(warehouse, "promptcrm", staged),
            ]
            stuck.rollback()
        assert claim_hold_alert(warehouse, "promptsales", staged)  # of another source
    assert alerts == [True, False, True, False]
