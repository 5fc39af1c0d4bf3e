"""Every polled feed follows its source: first the sample data, then what an application changes, deletes and adds."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from promptsales.feeds.models import LoadResult
from promptsales.load.steps import load
from promptsales.seed import seed
from promptsales.seed.planted import PLANTED
from promptsales.seed.world import Size
from promptsales.settings import Settings
from promptsales.specs.feed import contract, contracts
from tests.support import systems
from tests.support.feeds import FEEDS, Feed, as_application, as_pipeline

POLLED = [name for name, feed in contracts().items() if feed.path == "poll"]

# changes that an application makes to three sound rows of a table; if the table has a history, to a column in it
CHANGES = {
    "users": "role = case role when 'admin' then 'viewer' else 'admin' end",
    "subscriptions": "plan_type = case plan_type when 'pro' then 'basic' else 'pro' end",
    "accounts": "account_type = case account_type when 'partner' then 'customer' else 'partner' end",
    "contacts": "email = 'New.' || id || '@Example.COM', phone = '+49 (0) 555-' || length(phone)",
    "leads": "campaign_id = gen_random_uuid(), click_id = ' new '",
    "pipeline_stages": "default_probability = 0.3333",
    "opportunities": "amount = coalesce(amount, 0) + 0.01",
    "activities": "duration_seconds = 60, direction = 'internal'",
}
SOUND = {
    "users": "email like '%@%'",
    "subscriptions": "end_date is null or end_date > start_date",
    "accounts": "created_at < updated_at",
    "contacts": "created_at < updated_at",
    "leads": "created_at < updated_at",
    "pipeline_stages": "not is_closed",
    "opportunities": "currency_code <> 'ZZZ'",
    "activities": "duration_seconds < 80000",
}


@pytest.fixture(scope="module")
def sample(stack: Settings) -> Iterator[Settings]:
    """Fill every system with the small sample."""
    systems.empty(stack)
    seed(stack, Size.SMALL, datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    yield stack
    systems.empty(stack)


def run(stack: Settings, warehouse: psycopg.Connection, feed: Feed) -> LoadResult:
    with as_pipeline(stack, feed) as source:
        return load(contract(feed.table), source, warehouse, None, "test")


def count(connection: psycopg.Connection, feed: Feed) -> int:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(*feed.relation.split(".")))
    (number,) = connection.execute(query).fetchone() or (0,)
    return int(number)


def change(connection: psycopg.Connection, feed: Feed) -> int:
    """Change three sound rows, and delete one of them as the application does."""
    some = f"select id from {feed.relation} where {SOUND[feed.table]} order by id limit"  # noqa: S608
    update = f"update {feed.relation} set {{}} where id in ({some} {{}})"  # noqa: S608
    connection.execute(update.format("deleted_at = now()", 1).encode())
    return connection.execute(update.format(CHANGES[feed.table], 3).encode()).rowcount


def test_every_polled_feed_is_described() -> None:
    assert sorted(FEEDS) == sorted(CHANGES) == sorted(SOUND) == POLLED


@pytest.mark.parametrize("name", POLLED)
def test_first_load_changes_and_nothing_new(sample: Settings, warehouse: psycopg.Connection, name: str) -> None:
    feed = FEEDS[name]
    for earlier in contract(name).after:
        run(sample, warehouse, FEEDS[earlier])
    with as_application(sample, feed) as application:
        source_rows, bad = count(application, feed), PLANTED.get(name, 0)
        first = run(sample, warehouse, feed)
        assert (first.extracted, first.inserted, first.quarantined) == (source_rows, source_rows - bad, bad)
        feed.assert_equal_to_source(application, warehouse, sample)

        changed = change(application, feed)
        second = run(sample, warehouse, feed)
        # other rows younger than the frontier's margin are read again, and are unchanged
        assert (second.inserted, second.updated) == (0, changed)
        assert second.extracted == changed + second.unchanged + second.quarantined
        feed.assert_equal_to_source(application, warehouse, sample)
        if feed.history:
            assert sorted(map(len, feed.versions(warehouse).values()))[-changed - 1 :] == [1, *[2] * changed]

    third = run(sample, warehouse, feed)
    assert (third.inserted, third.updated, third.checks_passed + third.checks_failed) == (0, 0, 0)


# when something happened, and numbers that no emptying sets back
_TIMES = {"_loaded_at", "touched_at", "first_seen_at", "last_tried_at", "quarantine_id", "published_at", "started_at"}
_READ = {"read_at", "last_sync_timestamp", "complete_through", "check_result_id", "checked_at"}


def all_rows(admin: psycopg.Connection, name: str) -> dict[str, list[str]]:
    """Return what a load writes: core, its history, touched days, quarantine, checks and the audit row."""
    tables = ["ops.touched", "ops.quarantine", "ops.check_result", "ops.load", f"core.{name}", f"core.{name}_history"]
    found = {}
    for table in tables:
        if admin.execute("select to_regclass(%s)", [table]).fetchone() != (None,):
            query = sql.SQL("select (to_jsonb(t) - %s::text[])::text from {} t order by 1")
            rows = admin.execute(query.format(sql.Identifier(*table.split("."))), [sorted(_TIMES | _READ)])
            found[table] = [row[0] for row in rows]
    return found


def indexes(
    admin: psycopg.Connection, name: str
) -> tuple[set[int], list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return the numbers, then the definitions of the indexes and constraints of a core table and its history."""
    tables = [f"core.{name}", f"core.{name}_history"]
    of = "any (select to_regclass(name) from unnest(%s::text[]) name)"
    numbers = admin.execute(f"select indexrelid from pg_index where indrelid = {of}", [tables])  # noqa: S608
    built = admin.execute(
        f"select pg_get_indexdef(indexrelid), indisvalid, indisready, indisprimary from pg_index where indrelid = {of} "  # noqa: S608
        "order by 1",
        [tables],
    )
    bound = admin.execute(
        f"select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = {of} "  # noqa: S608
        "order by 1, 2",
        [tables],
    )
    return {number for (number,) in numbers}, built.fetchall(), bound.fetchall()


@pytest.mark.parametrize("name", POLLED)
def test_a_first_load_writes_what_a_merge_writes(
    sample: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection, name: str
) -> None:
    feed = FEEDS[name]
    before, *definitions = indexes(admin, name)
    result = run(sample, warehouse, feed)
    after, *built = indexes(admin, name)
    rows = all_rows(admin, name)
    # the indexes were built after the rows, as they were
    assert not before & after
    assert built == definitions
    assert len(rows[f"core.{name}"]) == result.inserted > 0

    systems.empty_tables(admin)
    with psycopg.connect(sample.address("warehouse_admin")) as reader:
        reader.execute(sql.SQL("select count(*) from {}").format(sql.Identifier("core", name)))
        run(sample, warehouse, feed)
    assert indexes(admin, name)[0] == after
    assert all_rows(admin, name) == rows


def test_a_deal_touches_the_days_it_was_made_and_closed(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    crm.execute("truncate crm.pipeline_stages cascade")
    crm.execute(
        "insert into crm.pipeline_stages (name, position, default_probability, is_closed) "
        "values ('open', 1, 0.5, false), ('lost', 2, 0, true)"
    )
    stage = "(select id from crm.pipeline_stages where name = %s)"
    crm.execute(
        "insert into crm.opportunities (owner_user_id, name, stage_id, created_at, closed_at) "  # noqa: S608
        f"values (gen_random_uuid(), 'deal', {stage}, '2026-01-05', '2026-02-06')",
        ["lost"],
    )
    touched = "select day::text from ops.touched where core_table = 'opportunities' order by 1"
    for name in ("pipeline_stages", "opportunities"):
        load(contract(name), source, warehouse, None, "test")
    assert warehouse.execute(touched).fetchall() == [("2026-01-05",), ("2026-02-06",)]

    # reopened: the day on which it was closed must be rebuilt, though core no longer has that day
    warehouse.execute("delete from ops.touched")
    crm.execute(f"update crm.opportunities set stage_id = {stage}", ["open"])  # noqa: S608
    assert load(contract("opportunities"), source, warehouse, None, "test").updated == 1
    assert warehouse.execute(touched).fetchall() == [("2026-01-05",), ("2026-02-06",)]
