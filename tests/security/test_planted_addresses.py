"""Addresses and phone numbers that people type into any text of any source do not reach the warehouse.

The texts come from the sources' catalogs and the contracts, so a new column is planted too. Each text that a source
takes gets an address and a number; then everything is loaded, one row by way of quarantine, and searched.
"""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from promptsales.cli.load import load_feed
from promptsales.connections import connected
from promptsales.provision.lines import Database as SourceDatabase
from promptsales.settings import Settings
from promptsales.specs.feed import contracts
from promptsales.specs.stream import stream_contracts
from promptsales.stream import audit, compare
from tests.support import content, planted, snapshots, systems
from tests.support.bus import read_messages
from tests.support.planted import Place

DATABASES: dict[str, SourceDatabase] = {
    "promptsales": "promptsales",
    "promptads": "promptsales",
    "promptcrm": "promptcrm",
}
# two rows of each table that a contract reads; statements in the order of references
ROWS: dict[str, tuple[str, ...]] = {
    "promptsales": (
        "insert into promptsales.users (email, password_hash, role) values ('a@x.io', 'x', 'viewer'), "
        "('b@x.io', 'x', 'viewer')",
        "insert into promptsales.subscriptions (user_id, plan_type, status, start_date) "
        "select id, 'pro', 'active', '2026-01-01' from promptsales.users",
    ),
    "promptads": (
        "insert into promptads.campaigns (user_id, name, objective, budget, start_date, end_date) "
        "select id, 'a', 'conversions', 10, '2026-01-01', '2026-02-01' from promptsales.users",
        "insert into promptads.ad_groups (campaign_id, name) select id, 'g' from promptads.campaigns",
        "insert into promptads.ads (ad_group_id, type, status) select id, 'image', 'active' from promptads.ad_groups",
        "insert into promptads.campaign_metrics (campaign_id) select id from promptads.campaigns",
        "insert into promptads.ad_metrics (ad_id) select id from promptads.ads",
    ),
    "promptcrm": (
        "insert into crm.pipeline_stages (pipeline_code, name, position, default_probability, is_closed, is_won) "
        "values ('p', 'open', 1, 0.2, false, false), ('p', 'offer', 2, 0.5, false, false)",
        "insert into crm.accounts (owner_user_id, name) select gen_random_uuid(), 'a' from generate_series(1, 2)",
        "insert into crm.contacts (owner_user_id, last_name, account_id) "
        "select gen_random_uuid(), 'x', id from crm.accounts",
        "insert into crm.leads (owner_user_id) select gen_random_uuid() from generate_series(1, 2)",
        "insert into crm.opportunities (owner_user_id, name, stage_id) "
        "select gen_random_uuid(), 'd', id from crm.pipeline_stages",
        "insert into crm.activities (owner_user_id, activity_type, account_id, occurred_at) "
        "select gen_random_uuid(), 'note', id, '2026-01-01' from crm.accounts",
    ),
}
# Debezium changes no values, so the bus holds what PromptAds has in these until the topic's retention ends
ON_THE_BUS = {
    Place("promptads.campaigns", "name"),
    Place("promptads.ad_groups", "name"),
    Place("promptads.ad_groups", "target_audience"),
    Place("promptads.ads", "content_id"),
    Place("promptads.ads", "status"),
}


@pytest.fixture
def texts(stack: Settings, documents: Database[dict[str, Any]]) -> set[Place]:
    """Fill the sources with planted texts; return where one was taken."""
    systems.empty(stack)
    taken: set[Place] = set()
    numbers = count(100)
    for system, statements in ROWS.items():
        with connected(stack, "sources_admin", DATABASES[system]) as source:
            for statement in statements:
                source.execute(statement.encode())
            for relation, key in list_relations(system):
                taken |= planted.plant(source, relation, key, numbers)
    documents.content_assets.insert_many([content.asset(), content.asset()])
    documents.prompt_history.insert_many([content.prompt(), content.prompt()])
    for feed in contracts().values():
        if feed.source.system == "promptcontent":
            fields = {column.origin: column.type for column in feed.columns if column.origin != feed.cursor}
            taken |= planted.plant_in_documents(documents, feed.source.relation, fields, numbers)
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        # a rule holds one lead back, whose texts are then in quarantine
        crm.execute(
            "update crm.leads set created_at = '2039-01-01' where id = (select min(id::text)::uuid from crm.leads)"
        )
    return taken


def list_relations(system: str) -> list[tuple[str, str]]:
    """Return the tables of a source that any contract reads, with their keys."""
    feeds = {
        feed.source.relation: feed.column(feed.key).origin
        for feed in contracts().values()
        if feed.source.system == system
    }
    streamed = {
        table.source.relation: table.key_origin
        for table in stream_contracts().values()
        if table.source.system == system
    }
    return sorted((feeds | streamed).items())


def stream_everything(stack: Settings, warehouse: psycopg.Connection) -> None:
    for table in stream_contracts().values():
        with psycopg.connect(stack.address(table.source.system), autocommit=True) as source:
            source.execute("set time zone 'UTC'")
            snapshots.snapshot(source, warehouse, table.table)


def published(stack: Settings, texts: set[Place]) -> set[Place]:
    """Return the planted texts that Debezium may read, which it puts on the bus as they are."""
    query = "select schemaname || '.' || tablename, unnest(attnames)::text from pg_publication_tables"
    columns: set[Place] = set()
    for system in ("promptsales", "promptcrm"):
        with connected(stack, "sources_admin", system) as admin:
            columns |= {Place(*row) for row in admin.execute(query).fetchall()}
    return columns & texts


def test_no_planted_text_leaves_its_source(
    stack: Settings, texts: set[Place], warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    began = datetime.now(UTC)
    with connected(stack, "sources_admin", "promptcrm") as crm:
        assert planted.search(crm), "the search itself fails: it misses the CRM's own rows"
    for feed in contracts().values():
        load_feed(feed, None, "test")
    stream_everything(stack, warehouse)
    assert admin.execute("select feed from ops.quarantine where feed = 'leads'").fetchall() == [("leads",)]
    assert planted.search(admin) == {}
    messages = [held for held in read_messages(stack) if held.at_ms >= began.timestamp() * 1000]
    assert messages, "the search itself fails: no message of the content job came"
    assert [held.topic for held in messages if any(needle.encode() in held.content for needle in planted.NEEDLES)] == []
    assert published(stack, texts) == ON_THE_BUS


@pytest.mark.usefixtures("texts")
def test_what_is_compared_with_the_source_is_equal(stack: Settings, warehouse: psycopg.Connection) -> None:
    stream_everything(stack, warehouse)
    differing = {}
    for table in stream_contracts().values():
        with psycopg.connect(stack.address(table.source.system), autocommit=True) as source:
            compare.prepare(source, warehouse)
            query = f"select {table.key_origin}::text from {table.source.relation}"  # noqa: S608
            keys = [key for (key,) in source.execute(query.encode()).fetchall()]
            assert len(keys) >= 2, table.table
            differing[table.table] = audit.find_differences(table, source, warehouse, keys)
    assert {name: pairs for name, pairs in differing.items() if pairs} == {}
