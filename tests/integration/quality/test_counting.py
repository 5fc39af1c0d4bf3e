"""A rule in SQL costs its query once."""

from datetime import UTC, datetime

import psycopg

from promptsales.quality.audit import run_suite
from promptsales.quality.suite import Expectation, Meta, Suite

NUMBERS = "create temporary table numbers as select generate_series(1, 5) as n; create temporary sequence looked"


def test_a_rule_in_sql_is_counted_and_its_rows_are_not_fetched(admin: psycopg.Connection) -> None:
    admin.execute(NUMBERS)
    query = "select n from {batch} where n > 2 and nextval('looked') > 0"
    rule = Expectation(
        type="unexpected_rows_expectation",
        kwargs={"unexpected_rows_query": query},
        meta=Meta(rule="large", on_fail="warn"),
        description="None is large.",
    )
    suite = Suite(name="numbers", checksum="-", expectations=(rule,))
    (verdict,) = run_suite(suite, admin, "pg_temp", "numbers", datetime(2026, 3, 2, tzinfo=UTC))
    assert (verdict.is_success, verdict.unexpected_count, verdict.error) == (False, 3, None)
    assert admin.execute("select last_value from looked").fetchone() == (3,)
