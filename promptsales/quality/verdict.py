"""What a check found, and how it is kept; needs no Great Expectations."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psycopg

from promptsales.specs.suite import Expectation, Meta


class Verdict(NamedTuple):
    """What one expectation found; ``rows`` are the ``_row`` of those that did not meet it."""

    expectation: Expectation
    is_success: bool
    element_count: int | None
    unexpected_count: int
    rows: list[int]
    error: str | None

    @property
    def result(self) -> Literal["passed", "warned", "failed"]:
        """What it comes to, seen as a check of data that is published already."""
        if self.is_success:
            return "passed"
        return "warned" if self.expectation.meta.on_fail == "warn" else "failed"

    def record(self) -> tuple[Any, ...]:
        """The verdict as ``ops.check_result`` keeps it."""
        expectation, meta = self.expectation, self.expectation.meta
        counts = (self.is_success, self.element_count, self.unexpected_count, self.error)
        return (meta.rule, expectation.type, meta.on_fail, *counts)

    def summary(self, table: str) -> dict[str, Any]:
        """The verdict as a row: counts, no values."""
        meta = self.expectation.meta
        return {
            "table": table,
            "rule": meta.rule,
            "result": self.result,
            "unexpected": self.unexpected_count,
            "of": self.element_count,
            "error": self.error,
        }


_RECORD = Path(__file__).with_name("record.sql").read_bytes()


def record(warehouse: psycopg.Connection, table: str, extraction: int | None, verdicts: Iterable[Verdict]) -> None:
    """Append the results to ``ops.check_result``."""
    rows = [(table, extraction, *verdict.record()) for verdict in verdicts]
    with warehouse.cursor() as cursor:
        cursor.executemany(_RECORD, rows)


def warning(rule: str, kind: str, description: str, is_unexpected: bool, rows: int | None = None) -> Verdict:
    """A verdict on a feed; what it finds is a warning."""
    expectation = Expectation(type=kind, kwargs={}, meta=Meta(rule=rule, on_fail="warn"), description=description)
    return Verdict(expectation, not is_unexpected, rows, int(is_unexpected), [], None)
