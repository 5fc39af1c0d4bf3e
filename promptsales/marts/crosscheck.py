"""Rules between the marts and core: each query selects the rows that violate its rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import tuple_row

from promptsales.quality.verdict import Verdict, make_warning, record

QUERIES = Path(__file__).parent / "crosschecks"


# these rules find inconsistent sources; the others find wrong marts
WARNINGS = frozenset({"ads_within_campaigns", "stage_intervals_contiguous"})


class Violation(NamedTuple):
    """A violated rule and the number of rows its query returned; a warning concerns the sources, not the marts."""

    rule: str
    rows: int
    is_warning: bool


def cross_check(warehouse: psycopg.Connection, zone: str) -> list[Violation]:
    """Run every rule in one snapshot, record the results, and return the violated rules.

    Days that were touched since their mart was built are skipped, because the next build changes them.

    Args:
        warehouse: a connection as the loader, in autocommit.
        zone: the reporting time zone, whose days the marts use.
    """
    with warehouse.transaction():
        warehouse.execute("set transaction isolation level repeatable read")
        warehouse.execute("select set_config('promptsales.zone', %s, true)", [zone])
        verdicts = dict(_verdicts(warehouse))
        record(warehouse, "marts", None, verdicts.values())
    return [
        Violation(rule, verdict.unexpected_count, rule in WARNINGS)
        for rule, verdict in verdicts.items()
        if not verdict.is_success
    ]


def _verdicts(warehouse: psycopg.Connection) -> Iterator[tuple[str, Verdict]]:
    for path in sorted(QUERIES.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        with warehouse.cursor(row_factory=tuple_row) as cursor:
            violations = len(cursor.execute(text.encode()).fetchall())
        description = text.splitlines()[0].removeprefix("-- ")
        verdict = make_warning(path.stem, "expect_marts_to_tie", description, violations > 0)
        yield path.stem, verdict._replace(unexpected_count=violations)
