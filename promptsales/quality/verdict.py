"""The result of a check and how it is recorded; this module does not import Great Expectations."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psycopg

from promptsales.specs.suite import Expectation, Meta


class Verdict(NamedTuple):
    """The result of an expectation; ``rows`` are the ``_row`` numbers of the rows that fail it."""

    expectation: Expectation
    is_success: bool
    element_count: int | None
    unexpected_count: int
    rows: list[int]
    error: str | None

    @property
    def result(self) -> Literal["passed", "warned", "failed"]:
        """The result as shown for a check of published data."""
        if self.is_success:
            return "passed"
        return "warned" if self.expectation.meta.on_fail == "warn" else "failed"

    def values(self) -> tuple[Any, ...]:
        """Return the values of the verdict for ``ops.check_result``."""
        expectation, meta = self.expectation, self.expectation.meta
        counts = (self.is_success, self.element_count, self.unexpected_count, self.error)
        return (meta.rule, expectation.type, meta.on_fail, *counts)

    def summary(self, table: str) -> dict[str, Any]:
        """Return the verdict as a row of counts, without values of the table."""
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
    rows = [(table, extraction, *verdict.values()) for verdict in verdicts]
    with warehouse.cursor() as cursor:
        cursor.executemany(_RECORD, rows)


def make_warning(rule: str, kind: str, description: str, is_unexpected: bool, rows: int | None = None) -> Verdict:
    """Return a verdict on a feed that warns if ``is_unexpected``."""
    expectation = Expectation(type=kind, kwargs={}, meta=Meta(rule=rule, on_fail="warn"), description=description)
    return Verdict(expectation, not is_unexpected, rows, int(is_unexpected), [], None)
