"""What holds `complete_through` is named, with since when: in freshness, and in an alert once it has lasted."""

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
    (found,) = (feed for feed in freshness(warehouse) if feed.feed == "leads")
    return found


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
        found = fresh(warehouse)
        # every feed and every hour waits for it: one of them tells
        contacts = extract(contract("contacts"), source, warehouse, None, "test")
        later = extract(LEADS, source, warehouse, None, "test")
        assert [claim_hold_alert(warehouse, "promptcrm", one) for one in (staged, contacts, later)] == [
            True,
            False,
            False,
        ]
    assert (found.held_since, found.complete_through) == (began, began - timedelta(seconds=5))
    assert session in (found.held_by or "")
    # seen later, it is worth an alert
    assert not staged.progress.is_held_back(began + timedelta(minutes=15))
    assert staged.progress.is_held_back(began + timedelta(minutes=16))

    load(LEADS, source, warehouse, None, "test")
    found = fresh(warehouse)
    assert (found.state, found.held_by, found.held_since) == ("fresh", None, None)


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
            found = fresh(warehouse)
        finally:
            writer.tpc_rollback()
    assert isinstance(prepared, datetime)
    assert (found.held_since, found.complete_through, found.state) == (prepared, None, "never loaded")
    assert "prepared transaction" in (found.held_by or "")
    assert staged.progress.is_held_back(prepared + timedelta(minutes=16))
    assert claim_hold_alert(warehouse, "promptcrm", staged)


def test_another_transaction_is_news(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptcrm")) as stuck:
        told = []
        for _ in range(2):
            stuck.execute("select")
            staged = extract(LEADS, source, warehouse, None, "test")
            told += [claim_hold_alert(warehouse, "promptcrm", staged), claim_hold_alert(warehouse, "promptcrm", staged)]
            stuck.rollback()
        assert claim_hold_alert(warehouse, "promptsales", staged)  # another source's own
    assert told == [True, False, True, False]
