"""A hundred thousand random bad rows, from sources without constraints: nothing fails, and no good row is lost."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg import sql

from promptsales.feeds.models import LoadResult
from promptsales.load.steps import load
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.integration.provision.conftest import KEY, Connect, provisioned
from tests.support.feeds import FEEDS, Feed
from tests.support.own_warehouse import admin, connect, warehouse

__all__ = ["admin", "connect", "warehouse"]

BAD, GOOD = 12_500, 200  # rows per feed: eight feeds have a hundred thousand bad rows
LATER = 500  # rows of each kind, for a delta afterwards
STAGE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
Row = dict[str, str | None]

# values of a sound row, besides its id and its times
SOUND: dict[str, Row] = {
    "users": {"role": "marketer", "password_hash": "x"},
    "subscriptions": {"user_id": str(OTHER), "plan_type": "pro", "status": "active", "start_date": "2026-01-01"},
    "accounts": {"owner_user_id": str(OTHER), "name": "Acme", "account_type": "prospect", "country_code": "DE"},
    "contacts": {"owner_user_id": str(OTHER), "email_opt_in": "t", "phone": "+49 555"},
    "leads": {"owner_user_id": str(OTHER), "lead_source": "web", "status": "new", "score": "7"},
    "pipeline_stages": {
        "pipeline_code": "default",
        "name": "Open",
        "position": "1",
        "default_probability": "0.5",
        "is_closed": "f",
        "is_won": "f",
        "is_active": "t",
    },
    "opportunities": {
        "owner_user_id": str(OTHER),
        "name": "Deal",
        "stage_id": str(STAGE),
        "stage_entered_at": "2026-01-01",
        "currency_code": "EUR",
        "amount": "1.5",
    },
    "activities": {
        "owner_user_id": str(OTHER),
        "activity_type": "call",
        "lead_id": str(OTHER),
        "occurred_at": "2026-01-02",
    },
}
MAIL = ("users", "contacts", "leads")
MOMENTS = (
    "infinity",
    "-infinity",
    "4000-01-01 BC",
    "0001-01-01",
    "1969-12-31",
    "2026-01-02 03:04:05.678901",
    "9999-12-31",
)
NUMBERS = ("0", "-1", "1", "100", "101", "-32768", "32767")
WORDS = (
    "",
    " ",
    "\t\u00a0",
    "%s",
    "'; drop table x; --",
    "{batch}",
    "\u202eabc",
    "\U0001f600",
    "A\u0308",
    "$PARAMETER",
    "NULL",
    "a@b@",
)


class Wild:
    """Values of a type, mostly ones that no application would write."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def value(self, kind: str) -> str | None:
        """Return a value of a PostgreSQL type as text, or None."""
        if self._rng.random() < 0.2:
            return None
        name, _, size = kind.rstrip(")").partition("(")
        if name in ("timestamp with time zone", "timestamp without time zone", "date"):
            return self._rng.choice(MOMENTS)
        if name == "uuid":
            return str(uuid.UUID(int=self._rng.getrandbits(128)))
        if name == "boolean":
            return self._rng.choice("tf")
        if name == "numeric":
            return self._rng.choice(("NaN", *NUMBERS[:3], "-0.0001", "9.9999"))
        if name in ("smallint", "integer"):
            return self._rng.choice(NUMBERS)
        return self._word(int(size or 500))

    def _word(self, size: int) -> str:
        word = self._rng.choice(WORDS)
        # all different except empty ones: duplicate addresses would block the batch, and rightly
        return word if not word.strip(" \t") else f"{self._rng.getrandbits(128):032x}{word}"[:size]


def sound(table: str, rng: Random, now: str) -> Row:
    key = str(uuid.UUID(int=rng.getrandbits(128)))
    row: Row = {"id": key, "created_at": "2026-01-01", "updated_at": now, **SOUND[table]}
    # each of another user: rules that compare a user's rows would compare every row with every other
    row |= {name: str(uuid.UUID(int=rng.getrandbits(128))) for name in ("user_id", "owner_user_id") if name in row}
    return row | ({"email": f" {key}@Example.com"} if table in MAIL else {})


def bad(table: str, rng: Random, now: str, kinds: dict[str, str]) -> Row:
    """Return a sound row with one to four random values; one row in a hundred has no key."""
    row, wild = sound(table, rng, now), Wild(rng)
    for name in rng.sample(sorted(kinds.keys() - {"id"}), rng.randint(1, 4)):
        row[name] = wild.value(kinds[name])
    return row | ({"id": None} if rng.random() < 0.01 else {})


def kinds_of(source: psycopg.Connection, feed: Feed) -> dict[str, str]:
    query = """
        select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
    """
    return dict(source.execute(query, [feed.relation]).fetchall())


def write(source: psycopg.Connection, feed: Feed, kinds: dict[str, str], rows: list[Row]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, kinds))
    into = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(*feed.relation.split(".")), names)
    with source.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row([row.get(name) for name in kinds])


@pytest.fixture(scope="module")
def lawless(stack: Settings) -> Iterator[dict[str, Connect]]:
    """Create both source databases without any constraint, for this file; drop them afterwards."""
    with provisioned(stack, "promptsales") as promptsales, provisioned(stack, "promptcrm") as promptcrm:
        for connect in (promptsales, promptcrm):
            with connect("postgres") as admin:
                admin.execute((Path(__file__).parent / "lawless.sql").read_bytes())
        yield {"promptsales": promptsales, "promptcrm": promptcrm}


def assert_adds_up(result: LoadResult) -> None:
    parts = result.inserted + result.updated + result.unchanged + result.quarantined + result.suppressed
    assert result.extracted == parts


def keys_of(warehouse: psycopg.Connection, feed: Feed) -> set[str]:
    """Return every key in core or in quarantine."""
    query = sql.SQL("""
        select {}::text from {} union
        select key from ops.quarantine where feed = {} and released_at is null and key not like 'without key %'
    """).format(sql.Identifier(feed.key), sql.Identifier("core", feed.table), sql.Literal(feed.table))
    return {key for (key,) in warehouse.execute(query)}


@pytest.mark.parametrize("table", sorted(FEEDS, key=lambda name: name != "pipeline_stages"))
def test_bad_rows_are_held_and_good_ones_arrive(
    lawless: dict[str, Connect], warehouse: psycopg.Connection, table: str
) -> None:
    feed, everything = FEEDS[table], Limits(share=1)
    rng = Random(table)  # noqa: S311 -- the same rows in every run
    connect = lawless[feed.system]
    source_keys: set[str] = set()
    kept: set[uuid.UUID] = set()
    with connect("postgres") as admin, connect("etl_reader") as source:
        kinds = kinds_of(admin, feed)
        for some_bad, some_good in ((BAD, GOOD), (LATER, LATER)):
            now = datetime.now(UTC).isoformat()
            good = [sound(table, rng, now) for _ in range(some_good)]
            rows = [bad(table, rng, now, kinds) for _ in range(some_bad)]
            if source_keys:  # a delta reads by updated_at
                rows = [{**row, "updated_at": now} for row in rows]
            write(admin, feed, kinds, good + rows)
            result = load(contract(table), source, warehouse, None, "test", everything)
            assert_adds_up(result)
            source_keys |= {row["id"] for row in good + rows if row["id"]}
            kept |= {uuid.UUID(row["id"]) for row in good}
            assert keys_of(warehouse, feed) == source_keys
            assert feed.in_core(warehouse, kept) == feed.expected(admin, KEY, kept)
            assert result.quarantined > some_bad / 20


def test_types(lawless: dict[str, Connect]) -> None:
    """Every type of a column of a polled table has random values."""
    known: set[Any] = {"timestamp", "date", "uuid", "boolean", "numeric", "smallint", "integer", "character", "text"}
    for feed in FEEDS.values():
        with lawless[feed.system]("postgres") as admin:
            assert {kind.split("(")[0].split(" ")[0] for kind in kinds_of(admin, feed).values()} <= known
