"""Every rule on a streamed table is broken by the rows of its case, and by no other, the whole table being checked."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from promptsales.quality.tables import audit_streamed
from promptsales.specs.stream import stream_contracts
from promptsales.specs.suite import OnFail, read_suite
from tests.support.cases import Row, cases, fill, has_case, implausible, put

READ_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
TABLES = list(stream_contracts())


def rules(table: str, *kinds: OnFail) -> list[str]:
    """The rules of some kinds that rows in the table can break."""
    found = read_suite(stream_contracts()[table]).expectations
    return [e.meta.rule for e in found if e.meta.on_fail in kinds and e.meta.rule in cases(table)["cases"]]


def broken(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str, changes: list[Row], core: dict[str, Any]
) -> dict[str, int]:
    """The rules that rows break, and how many break each."""
    fill(admin, table, cases(table).get("core", {}), core)
    put(admin, table, changes)
    verdicts = audit_streamed(stream_contracts()[table], warehouse, READ_AT)
    assert [(one.expectation.meta.rule, one.error) for one in verdicts if one.error] == []
    return {one.expectation.meta.rule: one.unexpected_count for one in verdicts if not one.is_success}


@pytest.mark.parametrize("table", TABLES)
def test_bad_rows_are_found_by_their_rule_alone(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str
) -> None:
    wanted = {rule: cases(table)["cases"][rule]["rows"] for rule in rules(table, "quarantine")}
    found = broken(admin, warehouse, table, [{}, *(row for rows in wanted.values() for row in rows)], {})
    # what is below zero is less than another figure too, which is a warning
    more = {rule: count for rule, count in found.items() if rule not in rules(table, "warn")}
    assert more == {rule: len(rows) for rule, rows in wanted.items()}


@pytest.mark.parametrize("table", TABLES)
def test_no_date_of_any_column_is_outside_the_range_and_no_number_is_none(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str
) -> None:
    bad = implausible(stream_contracts()[table].columns)
    found = broken(admin, warehouse, table, [{}, *({name: value} for name, value, _ in bad)], {})
    by_type = [e.meta.rule for e in read_suite(stream_contracts()[table]).expectations if not has_case(e)]
    assert {rule: found.get(rule, 0) for rule in by_type} == Counter(rule for _, _, rule in bad)


@pytest.mark.parametrize(
    ("table", "rule"), [(table, rule) for table in TABLES for rule in rules(table, "block", "warn")]
)
def test_an_odd_table_breaks_its_rule_alone(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str, rule: str
) -> None:
    case = cases(table)["cases"][rule]
    found = broken(admin, warehouse, table, case["rows"], case.get("core", {}))
    assert found.keys() == {rule, *case.get("too", ())}


@pytest.mark.parametrize(
    ("table", "what"), [(table, what) for table in TABLES for what in cases(table).get("holds", {})]
)
def test_what_is_near_a_rule_breaks_none(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str, what: str
) -> None:
    case = cases(table)["holds"][what]
    assert broken(admin, warehouse, table, case["rows"], case.get("core", {})) == {}


def test_only_living_rows_count(admin: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    deleted = {"is_deleted": True, "name": "null", "budget": "null"}  # of which only the delete came
    assert broken(admin, warehouse, "campaigns", [{}, deleted], {}) == {}
    told = warehouse.execute("select distinct feed, extraction from ops.check_result").fetchall()
    assert told == [("campaigns", None)]
