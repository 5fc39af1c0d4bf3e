"""A mart that passed its checks goes from staging to readers in one transaction: the rows that differ, only those."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.range import DateRange

from promptsales.errors import BatchBlocked, driver_errors
from promptsales.feeds.staging import join_names
from promptsales.marts.control import Totals, compare
from promptsales.marts.plan import SQL, Asked, Plan
from promptsales.names import in_lines
from promptsales.quality.verdict import Verdict, record
from promptsales.specs.mart import Mart
from promptsales.specs.suite import read_suite


@dataclass(frozen=True)
class Built:
    """What a build did to a mart."""

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
    """Return how many rows Spark wrote to the mart's staging table, and give PostgreSQL's planner its statistics."""
    table = sql.Identifier("staging", mart.staging)
    warehouse.execute(sql.SQL("analyze {}").format(table))
    counted = warehouse.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return counted[0] if counted else 0


def check(mart: Mart, warehouse: psycopg.Connection, as_of: datetime, totals: Totals) -> list[Verdict]:
    """Run the mart's suite over staging, compare its control totals, and record the results.

    Raises:
        BatchBlocked: when a rule fails that is more than a warning; the mart stays as it was.
    """
    from promptsales.quality.run import run_suite

    verdicts = list(run_suite(read_suite(mart), warehouse, "staging", mart.staging, as_of))
    verdicts += compare(mart, warehouse, totals)
    with warehouse.transaction():
        record(warehouse, mart.mart, None, verdicts)
    if failed := [v for v in verdicts if not v.is_success and (v.expectation.meta.on_fail != "warn" or v.error)]:
        reasons = "; ".join(f"{v.expectation.meta.rule} ({v.error or f'{v.unexpected_count} rows'})" for v in failed)
        raise BatchBlocked(
            f"mart {mart.mart}: nothing is published, it stays as it was: {reasons}; see ops.check_result, "
            "mend the input or the rule, then build again"
        )
    return verdicts


def publish(
    mart: Mart,
    warehouse: psycopg.Connection,
    plan: Plan,
    asked: Asked,
    verdicts: list[Verdict],
    complete_through: datetime | None,
    started_at: datetime,
) -> Built:
    """Bring the built days of the mart to what staging holds, and note where it stands: all of it or nothing."""
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
        "is_window": asked.window is not None,
        "checks_passed": sum(v.is_success for v in verdicts),
        "checks_failed": sum(not v.is_success for v in verdicts),
        "triggered_by": asked.triggered_by,
        "started_at": started_at,
    }
    with warehouse.transaction():
        row = warehouse.execute(merge(mart), values).fetchone()
        staged, inserted, updated, deleted, restated = row or (0, 0, 0, 0, 0)
        values |= {"staged": staged, "inserted": inserted, "updated": updated, "deleted": deleted, "restated": restated}
        warehouse.execute(_NOTE, values)
        warehouse.execute(note_state(mart), values)
    names = ("is_full", "staged", "inserted", "updated", "deleted", "restated", "checks_passed", "checks_failed")
    return Built(
        mart=mart.mart,
        complete_through=complete_through,
        started_at=started_at,
        **{name: values[name] for name in names},
    )


def merge(mart: Mart) -> sql.Composed:
    """Delete what is no more, insert and update what differs; what replaced settled values goes to ops.restatement."""
    others = tuple(name for name in mart.column_names if name not in mart.grain)
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
        assignments=in_lines(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others),
        current=join_names(others, "m"),
        excluded=join_names(others, "excluded"),
    )


def note_state(mart: Mart) -> sql.Composed:
    """Note where the mart stands after a build, in ops.mart."""
    text = (SQL / "note_state.sql").read_text(encoding="utf-8")
    return sql.SQL(text).format(mart=sql.Identifier("marts", mart.mart))


_NOTE = (SQL / "note_build.sql").read_bytes()
