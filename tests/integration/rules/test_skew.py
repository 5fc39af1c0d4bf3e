"""One key with thousands of rows, and one instant with thousands: no statement pairs each of them with each other."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from promptsales.feeds import quarantine, staging
from promptsales.load import merge
from promptsales.marts.crosscheck import QUERIES
from promptsales.marts.plan import ALL
from promptsales.marts.plan import SQL as MARTS
from promptsales.quality.sql_rules import compose_rule_query
from promptsales.reconcile import statements as reconcile
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import Suite, read_suite
from tests.integration.provision.conftest import Connect
from tests.support.skew import DAY, ROWS, TIMES, fill, most_rows
from tests.support.systems import empty_tables

Case = tuple[str, bytes, dict[str, Any] | None]

MOST = TIMES * ROWS
FIRST = date.fromisoformat(DAY)
# leads that name a campaign by its name only, created before any campaign had it
OF_NO_CAMPAIGN = {"campaign_id": "null", "ad_id": "null", "utm_campaign": "'1'", "created_at": "'1996-01-01'"}
OWN = {"core.leads": OF_NO_CAMPAIGN, "core.campaigns": {"starts_at": f"'{DAY}'", "ends_at": f"'{DAY}'"}}
# tables that provisioning fills
SEEDED = ("calendar", "plan_price", "ai_model")
VALUES = {
    "read_at": datetime(1996, 1, 3, tzinfo=UTC),
    "seen_through": datetime(2041, 1, 1, tzinfo=UTC),
    "suite_checksum": "1",
    "extraction": 2,
    "keys": ["1"],
    "pending": ["1"],
    "buckets": list(range(4096)),
}
PERIODS = {
    "rebuild": "rebuild",
    "since": datetime(1990, 1, 1, tzinfo=UTC),
    "was_day": FIRST + timedelta(ROWS),
    "as_of_day": FIRST + timedelta(ROWS + 1),
    "zone": "UTC",
    "provisional_days": 3,
    "first_day": ALL[0],
    "end_day": ALL[1],
}


@pytest.fixture(scope="module")
def skewed(connect: Connect) -> Iterator[psycopg.Connection]:
    """The warehouse, as its administrator: in every table one key has many rows, or many keys have one instant."""
    with connect("postgres") as admin:
        empty_tables(admin, "marts", "staging")
        found = admin.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('core', 'realtime', 'marts')"
        )
        for schema, table in found.fetchall():
            if table not in SEEDED:
                fill(admin, f"{schema}.{table}", 1, **OWN.get(f"{schema}.{table}", {}))
        for feed in contracts().values():
            fill(admin, f"staging.{feed.staging}", ROWS + 1, **OWN.get(f"core.{feed.table}", {}))
        _note(admin)
        yield admin
        empty_tables(admin, "marts", "staging")


def _note(admin: psycopg.Connection) -> None:
    """What ops has of each table: it is complete, all of it was touched, and many of its rows are in quarantine."""
    every: list[Contract | StreamContract] = [*contracts().values(), *stream_contracts().values()]
    values = {"names": [one.table for one in every], "marts": list(tables()), "rows": ROWS, "day": DAY}
    for statement in (_FEEDS, _QUARANTINE, _MARTS):
        admin.execute(statement, values)
    values |= {
        "entities": [str(UUID(int=1)) if _is_uuid(one) else "1" for one in every],
        "is_uuid": [_is_uuid(one) for one in every],
    }
    admin.execute(_TOUCHED, values)
    admin.execute("analyze ops.quarantine, ops.touched")


_FEEDS = """
    insert into ops.feed (feed, complete_through, last_sync_timestamp)
    select name, 'infinity', 'infinity' from unnest(%(names)s::text[]) name
"""
_QUARANTINE = """
    insert into ops.quarantine (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
    select name, n::text, 1, '{rule}', '1', '{}', false
    from unnest(%(names)s::text[]) name cross join generate_series(1, %(rows)s) n
"""
_MARTS = """
    insert into ops.mart select name, 'epoch', '2040-01-01', '1', 'infinity', false from unnest(%(marts)s::text[]) name
"""
# many entities on one day, and one on many days
_TOUCHED = """
    insert into ops.touched (core_table, entity_id, day)
    select name, case when is_uuid then lpad(to_hex(n), 32, '0')::uuid::text else n::text end, %(day)s::date
    from unnest(%(names)s::text[], %(is_uuid)s::boolean[]) x(name, is_uuid) cross join generate_series(1, %(rows)s) n
    union all
    select name, entity, %(day)s::date + n
    from unnest(%(names)s::text[], %(entities)s::text[]) x(name, entity) cross join generate_series(1, %(rows)s) n
    union all
    select 'marts.' || name, '*', %(day)s::date + n
    from unnest(%(marts)s::text[]) name cross join generate_series(1, %(rows)s) n
"""


def _is_uuid(one: Contract | StreamContract) -> bool:
    """Whether the entities of a table's touched days are of that type."""
    names = one.touched.entity if one.touched else ()
    return any(column.name in names and column.type == "uuid" for column in one.columns)


def _judged() -> Iterator[tuple[str, Suite, sql.Composable]]:
    for name, feed in contracts().items():
        yield f"staging of {name}", read_suite(feed), staging.staging(feed)
        yield f"core.{name}", read_suite(feed), staging.core(feed)
    for name, stream in stream_contracts().items():
        rows = sql.SQL("(select * from {} t where not is_deleted)").format(sql.Identifier(stream.layer, name))
        yield f"{stream.layer}.{name}", read_suite(stream), rows
    for name, mart in tables().items():
        yield f"marts.{name}", read_suite(mart), sql.Identifier("marts", name)


def _rules() -> Iterator[Case]:
    for where, suite, table in _judged():
        for expectation in suite.expectations:
            if expectation.query is not None:
                counted = sql.SQL("select count(*) from ({}) x").format(
                    sql.SQL(compose_rule_query(expectation.query, table))
                )
                yield f"{expectation.meta.rule} on {where}", counted.as_bytes(), None


def _cross_checks() -> Iterator[Case]:
    for path in QUERIES.glob("*.sql"):
        yield path.stem, path.read_bytes(), None


def _periods() -> Iterator[Case]:
    for name, mart in tables().items():
        query = (mart.folder / "periods.sql").read_bytes() + b"\nunion\n" + (MARTS / "rebuild.sql").read_bytes()
        yield name, query, PERIODS | {"mart": f"marts.{name}"}


def _loads() -> Iterator[Case]:
    for name, feed in contracts().items():
        values = VALUES | {"feed": name}
        for make in (
            quarantine.drop_held,
            staging.drop_unchanged,
            quarantine.close_published,
            quarantine.hold,
            merge.upsert,
        ):
            yield f"{make.__name__} of {name}", make(feed).as_bytes(), values
        rows = reconcile.select_warehouse_rows(feed)
        yield f"buckets of {name}", reconcile.sum_buckets(feed, rows).as_bytes(), values
        yield f"rows of {name}", reconcile.select_digests(feed, rows).as_bytes(), values


@pytest.mark.parametrize("cases", [_rules, _cross_checks, _periods, _loads])
def test_no_statement_pairs_many_rows(skewed: psycopg.Connection, cases: Callable[[], Iterator[Case]]) -> None:
    skewed.execute(
        "select set_config('promptsales.read_at', '1996-01-03', false), set_config('promptsales.zone', 'UTC', false)"
    )
    found = {name: _most(skewed, statement, values) for name, statement, values in cases()}
    assert {name: rows for name, rows in found.items() if rows > MOST} == {}


def _most(admin: psycopg.Connection, statement: bytes, values: dict[str, Any] | None) -> float:
    try:
        return most_rows(admin, statement, values)
    except psycopg.errors.QueryCanceled:
        return float("inf")


def test_a_statement_that_pairs_rows_is_seen(skewed: psycopg.Connection) -> None:
    pairs = b"select count(*) from core.leads a join core.leads b using (email_hmac) where a.lead_id < b.lead_id"
    assert _most(skewed, pairs, None) > MOST
