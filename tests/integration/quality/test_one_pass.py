"""Rules on pairs of columns and with conditions are counted in one query with the others, and fetch no rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from promptsales.quality.run import run_suite
from promptsales.quality.verdict import Verdict
from promptsales.specs.suite import Expectation, Meta, Suite

PAIR = "expect_column_pair_values_a_to_be_greater_than_b"
IS_PAID = {"type": "comparison", "column": {"name": "status"}, "operator": "==", "parameter": "paid"}
IS_OPEN = {"type": "nullity", "column": {"name": "ended"}, "is_null": True}
ROWS = """
    create table marts.one_pass as
    select * from (values
        (1, 'paid', 1.5, date '2026-01-01', date '2026-01-02'),
        (2, 'paid', null, '2026-01-02', '2026-01-01'),
        (3, 'paid', null, '2026-01-02', null),
        (4, 'free', 2.5, '2026-01-01', '2026-01-01'),
        (5, null, null, null, '2026-01-01')
    ) as v (_row, status, amount, began, ended)
"""


class Counting(psycopg.Cursor[Any]):
    """A cursor that remembers the most rows that a statement returned."""

    most = 0

    def execute(self, *args: Any, **kwargs: Any) -> "Counting":
        """Run a statement and remember how many rows it returned."""
        super().execute(*args, **kwargs)
        if self.description is not None:
            Counting.most = max(Counting.most, self.rowcount)
        return self


@pytest.fixture
def table(admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    admin.execute(ROWS.encode())
    yield admin
    admin.execute("drop table marts.one_pass")


def rule(name: str, kind: str, **kwargs: Any) -> Expectation:
    return Expectation(type=kind, kwargs=kwargs, meta=Meta(rule=name, on_fail="quarantine"), description=name)


def check(connection: psycopg.Connection, *rules: Expectation, query: str | None = None) -> dict[str, Verdict]:
    suite = Suite(name="one_pass", checksum="", expectations=rules)
    verdicts = run_suite(suite, connection, "marts", "one_pass", datetime.now(UTC), None if query else "_row", query)
    return {verdict.expectation.meta.rule: verdict for verdict in verdicts}


def test_which_rows_break_which_rule(table: psycopg.Connection) -> None:
    pair = {"column_A": "ended", "column_B": "began", "ignore_row_if": "either_value_is_missing"}
    both = {"type": "and", "conditions": [IS_PAID, IS_OPEN]}
    found = check(
        table,
        rule("ends_later", PAIR, **pair),
        rule("ends_no_earlier", PAIR, or_equal=True, **pair),
        rule("paid_has_amount", "expect_column_values_to_not_be_null", column="amount", row_condition=IS_PAID),
        rule("paid_has_none", "expect_column_values_to_be_null", column="amount", row_condition=IS_PAID),
        rule("open_paid_has_amount", "expect_column_values_to_not_be_null", column="amount", row_condition=both),
        rule("status_known", "expect_column_values_to_be_in_set", column="status", value_set=["paid", "free"]),
    )
    assert {name: (v.element_count, v.unexpected_count, sorted(v.rows), v.error) for name, v in found.items()} == {
        "ends_later": (5, 2, [2, 4], None),
        "ends_no_earlier": (5, 1, [2], None),
        "paid_has_amount": (3, 2, [2, 3], None),
        "paid_has_none": (3, 1, [1], None),
        "open_paid_has_amount": (1, 1, [3], None),
        "status_known": (5, 0, [], None),
    }


def test_a_rule_on_an_unknown_column_fails_alone(table: psycopg.Connection) -> None:
    found = check(
        table,
        rule("gone", "expect_column_values_to_not_be_null", column="gone", row_condition=IS_PAID),
        rule("paid_has_amount", "expect_column_values_to_not_be_null", column="amount", row_condition=IS_PAID),
    )
    assert found["gone"].error
    assert (sorted(found["paid_has_amount"].rows), found["paid_has_amount"].error) == ([2, 3], None)


def test_no_row_of_a_query_is_fetched(table: psycopg.Connection) -> None:
    table.execute("insert into marts.one_pass (_row, status) select n, 'free' from generate_series(6, 5000) as n")
    table.execute("insert into marts.one_pass (_row, status) values (5001, '100%')")
    table.cursor_factory, Counting.most = Counting, 0
    status = rule("status_known", "expect_column_values_to_be_in_set", column="status", value_set=["paid", "free"])
    found = check(table, status, query="select * from marts.one_pass where status <> '100%'")
    assert found["status_known"].element_count == 4999
    assert Counting.most < 100
