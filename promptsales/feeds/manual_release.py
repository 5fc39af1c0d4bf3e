"""Quarantine as people use it: list it by rule, show a row, release a row by hand."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row, dict_row

from promptsales.errors import ConfigError


class RuleCount(NamedTuple):
    """Open rows of one feed that broke one rule, and how long ago the first of them did."""

    feed: str
    rule: str
    rows: int
    age: timedelta


class Entry(NamedTuple):
    """One open row."""

    quarantine_id: int
    feed: str
    key: str
    rules: list[str]
    first_seen_at: datetime
    tries: int
    is_core_stale: bool
    is_waived: bool


_BY_RULE = Path(__file__).with_name("quarantine_by_rule.sql").read_bytes()

_OPEN = Path(__file__).with_name("open_quarantine.sql").read_bytes()

_MISSING = Path(__file__).with_name("missing_in_payload.sql").read_bytes()

_FEED = "select feed from ops.quarantine where quarantine_id = %s and released_at is null"
_WAIVE = "update ops.quarantine set is_waived = true where quarantine_id = %s and released_at is null returning feed"


def by_rule(warehouse: psycopg.Connection) -> list[RuleCount]:
    """The open rows, counted by feed and rule."""
    with warehouse.cursor(row_factory=class_row(RuleCount)) as cursor:
        return cursor.execute(_BY_RULE).fetchall()


def entries(warehouse: psycopg.Connection, feed: str | None, limit: int) -> list[Entry]:
    """At most ``limit`` open rows, the oldest first; of one feed or of all."""
    with warehouse.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(_OPEN, {"feed": feed, "limit": limit}).fetchall()


def show(warehouse: psycopg.Connection, quarantine_id: int) -> dict[str, Any]:
    """One row with its payload, which holds hashes and no clear text.

    Raises:
        ConfigError: when there is no such row.
    """
    with warehouse.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute("select * from ops.quarantine where quarantine_id = %s", [quarantine_id]).fetchone()
    if found is None:
        raise ConfigError(f"no row {quarantine_id} in quarantine; `promptsales quarantine list` shows them")
    return found


def feed_of(warehouse: psycopg.Connection, quarantine_id: int) -> str:
    """The feed of an open row.

    Raises:
        ConfigError: when no such row is open.
    """
    row = warehouse.execute(_FEED, [quarantine_id]).fetchone()
    if row is None:
        raise ConfigError(f"no open row {quarantine_id} in quarantine; `promptsales quarantine list` shows them")
    return str(row[0])


def release(warehouse: psycopg.Connection, quarantine_id: int) -> str:
    """Let the next load publish the row as it is, in spite of the rules; returns its feed.

    A streamed row no load publishes: ``promptsales.stream.waive`` does.
    If the source changes the row before, the changed row is judged anew.

    Raises:
        ConfigError: when no such row is open, or core cannot hold it because a value is missing.
    """
    (missing,) = warehouse.execute(_MISSING, [quarantine_id]).fetchone() or (None,)
    if missing:
        raise ConfigError(
            f"row {quarantine_id} cannot be released: core holds no row without {', '.join(missing)}; "
            "mend it at the source, the next load then takes it by itself"
        )
    row = warehouse.execute(_WAIVE, [quarantine_id]).fetchone()
    if row is None:
        raise ConfigError(f"no open row {quarantine_id} in quarantine; `promptsales quarantine list` shows them")
    return str(row[0])
