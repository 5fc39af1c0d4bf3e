"""What an operator does with quarantine: count it by rule, list its rows, read one row, release one by hand."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row, dict_row

from promptsales.errors import ConfigError
from promptsales.feeds.manual_action import Decision, record


class RuleCount(NamedTuple):
    """How many open rows of a feed break a rule, and the age of the oldest."""

    feed: str
    rule: str
    rows: int
    age: timedelta


class QuarantinedRow(NamedTuple):
    """A row that is still in quarantine."""

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


def count_by_rule(warehouse: psycopg.Connection) -> list[RuleCount]:
    """Count the open rows by feed and rule."""
    with warehouse.cursor(row_factory=class_row(RuleCount)) as cursor:
        return cursor.execute(_BY_RULE).fetchall()


def list_open_rows(warehouse: psycopg.Connection, feed: str | None, limit: int) -> list[QuarantinedRow]:
    """Return at most ``limit`` open rows of a feed, or of all feeds, oldest first."""
    with warehouse.cursor(row_factory=class_row(QuarantinedRow)) as cursor:
        return cursor.execute(_OPEN, {"feed": feed, "limit": limit}).fetchall()


def read_row(warehouse: psycopg.Connection, quarantine_id: int) -> dict[str, Any]:
    """Return a row with its payload, open or released. The payload holds hashes and no clear text.

    Raises:
        ConfigError: when there is no such row.
    """
    with warehouse.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from ops.quarantine where quarantine_id = %s", [quarantine_id]).fetchone()
    if row is None:
        raise ConfigError(f"no row {quarantine_id} in quarantine; list its rows with `promptsales quarantine list`")
    return row


def read_feed(warehouse: psycopg.Connection, quarantine_id: int) -> str:
    """Return the feed of an open row.

    Raises:
        ConfigError: when no open row has this number.
    """
    row = warehouse.execute(_FEED, [quarantine_id]).fetchone()
    if row is None:
        raise ConfigError(_not_open(quarantine_id))
    return str(row[0])


def release(warehouse: psycopg.Connection, quarantine_id: int, decision: Decision) -> str:
    """Let the next load publish the row although it breaks rules, record who decided so, and return its feed.

    For the row of a streamed table call ``promptsales.stream.waive``: no load publishes it.
    If the source changes the row before the next load, the changed row is checked again.

    Raises:
        ConfigError: when no open row has this number, or a value is null that core requires.
    """
    (missing,) = warehouse.execute(_MISSING, [quarantine_id]).fetchone() or (None,)
    if missing:
        raise ConfigError(
            f"row {quarantine_id} cannot be released: core requires a value in {', '.join(missing)}; "
            "fix the row at the source, then the next load publishes it"
        )
    with warehouse.transaction():
        row = warehouse.execute(_WAIVE, [quarantine_id]).fetchone()
        if row is None:
            raise ConfigError(_not_open(quarantine_id))
        record(warehouse, decision, "release", row[0], str(quarantine_id))
    return str(row[0])


def _not_open(quarantine_id: int) -> str:
    return f"no open row {quarantine_id} in quarantine; list the open rows with `promptsales quarantine list`"
