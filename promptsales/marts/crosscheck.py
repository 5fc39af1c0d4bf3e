"""What must hold between marts and core: each query selects what breaks it; the daily DAG and tests run the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import tuple_row

from promptsales.quality.verdict import Verdict, make_warning, record

QUERIES = Path(__file__).parent / "crosschecks"


# these say something about the sources; the others, that a mart is wrong
WARNINGS = frozenset({"ads_within_campaigns", "stage_intervals_contiguous"})


class Broken(NamedTuple):
    """A rule and how many of its cells do not hold; a warning says nothing against the marts."""

    rule: str
    cells: int
    is_warning: bool


def cross_check(warehouse: psycopg.Connection, zone: str) -> list[Broken]:
    """Run every rule in one snapshot, and record the results; returns those that do not hold.

    Days that were touched since their mart was built are left out: their mart follows with its next build.

    Args:
        warehouse: the warehouse, as its loader, in autocommit.
        zone: by whose days the marts count.
    """
    with warehouse.transaction():
        warehouse.execute("set transaction isolation level repeatable read")
        warehouse.execute("select set_config('promptsales.zone', %s, true)", [zone])
        found = dict(_verdicts(warehouse))
        record(warehouse, "marts", None, found.values())
    return [
        Broken(rule, verdict.unexpected_count, rule in WARNINGS)
        for rule, verdict in found.items()
        if not verdict.is_success
    ]


def _verdicts(warehouse: psycopg.Connection) -> Iterator[tuple[str, Verdict]]:
    for path in sorted(QUERIES.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        with warehouse.cursor(row_factory=tuple_row) as cursor:
            broken = len(cursor.execute(text.encode()).fetchall())
        description = text.splitlines()[0].removeprefix("-- ")
        verdict = make_warning(path.stem, "expect_marts_to_tie", description, broken > 0)
        yield path.stem, verdict._replace(unexpected_count=broken)
