"""A rule in SQL costs its query once."""

from datetime import UTC, datetime

import psycopg
import pytest

from promptsales.errors import ConfigError
from promptsales.quality.audit import run_suite
from promptsales.quality.suite import Expectation, Meta, Suite

NUMBERS = "create temporary table numbers as select generate_series(1, 5) as n; create temporary sequence looked"


READ_AT = datetime(2026, 3, 2, tzinfo=UTC)


def suite_of(*kinds: str) -> Suite:
    query = "select n from {batch} where n > 2 and nextval('looked') > 0"
    rules = tuple(
        Expectation(
            type=kind,
            kwargs={"unexpected_rows_query": query} if kind == "unexpected_rows_expectation" else {"column": "n"},
            meta=Meta(rule=kind, on_fail="warn"),
            description="None is large.",
        )
        for kind in kinds
    )
    return Suite(name="numbers", checksum="-", expectations=rules)


def test_a_rule_in_sql_is_counted_and_its_rows_are_not_fetched(admin: psycopg.Connection) -> None:
    admin.execute(NUMBERS)
    (verdict,) = run_suite(suite_of("unexpected_rows_expectation"), admin, "pg_temp", "numbers", READ_AT)
    assert (verdict.is_success, verdict.unexpected_count, verdict.error) == (False, 3, None)
    assert admin.execute("select last_value from looked").fetchone() == (3,)


def test_an_unknown_expectation_is_named_alone(admin: psycopg.Connection) -> None:
    suite = suite_of("unexpected_rows_expectation", "expect_wonders")
    with pytest.raises(ConfigError, match=r"^suite numbers: great expectations knows no expect_wonders$"):
        list(run_suite(suite, admin, "pg_temp", "numbers", READ_AT))
