"""Publish a mart that passed its checks: apply the rows that differ from staging, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import args_row
from psycopg.types.range import DateRange

from promptsales.errors import BatchBlocked, driver_errors
from promptsales.feeds.staging import join_names
from promptsales.marts.control import Totals, compare
from promptsales.marts.plan import SQL, BuildRequest, Plan
from promptsales.names import in_lines
from promptsales.quality.verdict import Verdict, record
from promptsales.specs.mart import Mart
from promptsales.specs.suite import read_suite


class _Merged(NamedTuple):
    """The counts of rows that ``merge.sql`` returns, in its order."""

    staged: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    restated: int = 0


@dataclass(frozen=True)
class Built:
    """The result of one build of a mart."""

    mart: str
    is_full: bool
    staged: int
    inserted: int
    updated: int
    deleted: int
    restated: int
    checks_passed: int
    checks_failed: int
    complete_through: datetime | None
    started_at: datetime


def clear(mart: Mart, warehouse: psycopg.Connection) -> None:
    """Empty the mart's staging table."""
    with driver_errors(f"build {mart.mart}"):
        warehouse.execute(sql.SQL("truncate {}").format(sql.Identifier("staging", mart.staging)))


def count_staged(mart: Mart, warehouse: psycopg.Connection) -> int:
    """Analyze the mart's staging table for PostgreSQL's planner, and return its number of rows."""
    table = sql.Identifier("staging", mart.staging)
    warehouse.execute(sql.SQL("analyze {}").format(table))
    row = warehouse.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return row[0] if row else 0


def check(mart: Mart, warehouse: psycopg.Connection, as_of: datetime, totals: Totals) -> list[Verdict]:
    """Run the mart's suite over staging, compare its control totals, and record the results.

    Raises:
        BatchBlocked: when a rule fails that is not a warning; the mart is unchanged.
    """
    from promptsales.quality.run import run_suite

    verdicts = list(run_suite(read_suite(mart), warehouse, "staging", mart.staging, as_of))
    verdicts += compare(mart, warehouse, totals)
    with warehouse.transaction():
        record(warehouse, mart.mart, None, verdicts)
    if failed := [v for v in verdicts if not v.is_success and (v.expectation.meta.on_fail != "warn" or v.error)]:
        reasons = "; ".join(f"{v.expectation.meta.rule} ({v.error or f'{v.unexpected_count} rows'})" for v in failed)
        raise BatchBlocked(
            f"mart {mart.mart}: not published, because its rows violate {reasons}; see ops.check_result, "
            "fix the input or the rule, then build again"
        )
    return verdicts


def publish(
    mart: Mart,
    warehouse: psycopg.Connection,
    plan: Plan,
    request: BuildRequest,
    verdicts: list[Verdict],
    complete_through: datetime | None,
    started_at: datetime,
) -> Built:
    """Replace the built days of the mart by those in staging, and record its new state, in one transaction."""
    ranges = [DateRange(start, end) for start, end in plan.span.ranges]
    values: dict[str, Any] = {
        "mart": mart.mart,
        "ranges": ranges,
        "settled_before": plan.span.provisional_from,
        "is_restated": mart.is_restated,
        "as_of_day": plan.span.as_of_day,
        "zone": plan.span.zone,
        "touched_through": plan.since,
        "definition": plan.definition,
        "complete_through": complete_through,
        "is_full": plan.is_full,
        "is_window": request.window is not None,
        "checks_passed": sum(v.is_success for v in verdicts),
        "checks_failed": sum(not v.is_success for v in verdicts),
        "triggered_by": request.triggered_by,
        "started_at": started_at,
    }
    with warehouse.transaction():
        with warehouse.cursor(row_factory=args_row(_Merged)) as cursor:
            merged = cursor.execute(merge(mart), values).fetchone() or _Merged()
        values |= merged._asdict()
        warehouse.execute(_INSERT_BUILD, values)
        warehouse.execute(note_state(mart), values)
    names = ("is_full", "staged", "inserted", "updated", "deleted", "restated", "checks_passed", "checks_failed")
    return Built(
        mart=mart.mart,
        complete_through=complete_through,
        started_at=started_at,
        **{name: values[name] for name in names},
    )


def merge(mart: Mart) -> sql.Composed:
    """Return the statement that deletes, inserts and updates rows, and records replaced settled values."""
    non_key = tuple(name for name in mart.column_names if name not in mart.grain)
    period = sql.Identifier(mart.period or "")
    text = (SQL / "merge.sql").read_text(encoding="utf-8")
    return sql.SQL(text).format(
        mart=sql.Identifier("marts", mart.mart),
        staging=sql.Identifier("staging", mart.staging),
        period=period,
        columns=join_names(mart.column_names),
        grain=join_names(mart.grain),
        first=sql.Identifier("old", mart.grain[0]),
        grain_names=sql.Literal(list(mart.grain)),
        measures=sql.Literal(list(mart.measures)),
        same=in_lines((sql.SQL("m.{0} = s.{0}").format(sql.Identifier(name)) for name in mart.grain), " and"),
        assignments=in_lines(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in non_key),
        current=join_names(non_key, "m"),
        excluded=join_names(non_key, "excluded"),
    )


def note_state(mart: Mart) -> sql.Composed:
    """Return the statement that records the mart's state after a build in ops.mart."""
    text = (SQL / "note_state.sql").read_text(encoding="utf-8")
    return sql.SQL(text).format(mart=sql.Identifier("marts", mart.mart))


_INSERT_BUILD = (SQL / "note_build.sql").read_bytes()
