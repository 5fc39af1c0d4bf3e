"""A rule in SQL means what PostgreSQL takes it for, whatever signs are in it, and costs its query once."""

from datetime import UTC, datetime

import psycopg
import pytest

from promptsales.errors import ConfigError
from promptsales.quality.run import run_suite
from promptsales.quality.verdict import Verdict
from promptsales.specs.suite import Expectation, Meta, Suite

NUMBERS = "create temporary table numbers as select generate_series(1, 5) as n; create temporary sequence looked"
READ_AT = datetime(2026, 3, 2, tzinfo=UTC)

# a rule, and the one text that breaks it
SIGNS = [
    ("select t from {batch} where t like 'test%'", "test it"),
    ("select t from {batch} where t like '50\\%%'", "50% more"),
    ("select t from {batch} where t in ('100%%', '%s', '%(x)s')", "100%%"),
    ("select t from {batch} where length(t) % 100 = 17", "seventeen letters"),
    ("select t from {batch} where t ~ '^[a-z]{2}$'", "ab"),
    ("select t from {batch} where t = any('{a,b}'::text[]) and t <> all('{}')", "a"),
    ("select t from {batch} where t = '{batch}'", "{batch}"),
    ("select t from {batch} where t = ':x' or t = ':y'::text", ":x"),
    ("select t from {batch} where t = 'it''s'", "it's"),
    ("select t from {batch} where t = E'it\\'s {batch};'", "it's {batch};"),
    ("select t from {batch} where t = $$a;b$$;", "a;b"),
    ("select t from {batch} where t = $x$a;'c$x$", "a;'c"),
    ("select t from {batch} where t = 'x;--y' -- the end; of {batch}", "x;--y"),
    ("select t from {batch} where t = '/* {2} %' /* it's {batch}; */;  -- it's :the %end", "/* {2} %"),
    ('with x as (select t as "a;%:b{0}" from {batch}) select 1 from x where "a;%:b{0}" = \'named\'', "named"),
    ("select b.t from {batch} b join {batch} o on o.t = b.t || '?'", "twice"),
    ("select t from {batch} where t = 'é—ß'", "é—ß"),
]


def suite_of(*rules: tuple[str, str]) -> Suite:
    """Return a suite of warnings: each a type and the query or the column it looks at."""
    expectations = tuple(
        Expectation(
            type=kind,
            kwargs={"unexpected_rows_query" if kind == "unexpected_rows_expectation" else "column": argument},
            meta=Meta(rule=f"rule_{number}", on_fail="warn"),
            description="-",
        )
        for number, (kind, argument) in enumerate(rules)
    )
    return Suite(name="numbers", checksum="-", expectations=expectations)


def verdicts(admin: psycopg.Connection, *queries: str, query: str | None = None) -> list[Verdict]:
    suite = suite_of(*(("unexpected_rows_expectation", one) for one in queries))
    return list(run_suite(suite, admin, "pg_temp", "numbers", READ_AT, query=query))


def test_a_rule_in_sql_is_counted_and_its_rows_are_not_fetched(admin: psycopg.Connection) -> None:
    admin.execute(NUMBERS)
    (verdict,) = verdicts(admin, "select n from {batch} where n > 2 and nextval('looked') > 0")
    assert (verdict.is_success, verdict.unexpected_count, verdict.error) == (False, 3, None)
    assert admin.execute("select last_value from looked").fetchone() == (3,)


def test_an_unknown_expectation_is_named_alone(admin: psycopg.Connection) -> None:
    suite = suite_of(("unexpected_rows_expectation", "select"), ("expect_wonders", "n"))
    with pytest.raises(ConfigError, match=r"^suite numbers: great expectations knows no expect_wonders$"):
        list(run_suite(suite, admin, "pg_temp", "numbers", READ_AT))


@pytest.mark.parametrize("query", [None, "select t from numbers where t is not null"])
def test_signs_that_other_languages_read_are_the_rules_own(admin: psycopg.Connection, query: str | None) -> None:
    admin.execute("create temporary table numbers (t text)")
    with admin.cursor() as cursor:
        cursor.executemany("insert into numbers values (%s)", [(text,) for _, text in SIGNS] + [("twice?",), (None,)])
    found = verdicts(admin, *(rule for rule, _ in SIGNS), query=query)
    assert [(one.unexpected_count, one.error) for one in found] == [(1, None)] * len(SIGNS)


def test_a_rule_that_cannot_run_has_failed_and_says_where(admin: psycopg.Connection) -> None:
    admin.execute("create temporary table numbers (n integer)")
    broken, unknown, good = verdicts(
        admin, "select n from {batch} where", "select m from {batch}", "select n from {batch}"
    )
    assert (broken.is_success, broken.error) == (
        False,
        "SyntaxError, sqlstate 42601 (character 63 of the statement)",
    )
    assert unknown.error == (
        'UndefinedColumn, sqlstate 42703 (column "m" does not exist, character 30 of the statement)'
    )
    assert good.is_success


def test_a_rule_that_runs_too_long_has_failed_and_the_next_one_runs(admin: psycopg.Connection) -> None:
    admin.execute(NUMBERS)
    admin.execute("set statement_timeout = '100ms'")
    slow, good = verdicts(admin, "select n from {batch} where pg_sleep(9) is null", "select n from {batch} where n > 5")
    assert (slow.is_success, slow.error) == (
        False,
        "QueryCanceled, sqlstate 57014 (by hand, or after PROMPTSALES_WORK_TIMEOUT_MINUTES or "
        "PROMPTSALES_LOOK_TIMEOUT_MINUTES)",
    )
    assert good.is_success
