"""Every rule of every suite is broken by the rows of its case, and by no other; what breaks it goes where it must."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from promptsales.errors import BatchBlocked
from promptsales.feeds import state
from promptsales.feeds.models import Audit, FeedProgress, LoadResult, Staged
from promptsales.load.steps import check, publish
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.suite import OnFail, read_suite
from tests.support.cases import Row, cases, fill, has_case, implausible, insert, rows

READ_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
TABLES = list(contracts())


def stage(warehouse: psycopg.Connection, contract: Contract, changes: list[Row]) -> Staged:
    """Rows in staging, as an extract leaves them there."""
    begun = state.begin(warehouse, contract.table)
    found = [{**row, "_load_id": begun.extraction} for row in rows(contract.table, contract.key, changes)]
    warehouse.execute(sql.SQL("truncate {}").format(sql.Identifier("staging", contract.staging)))
    insert(warehouse, "staging", contract.staging, found)
    return Staged(
        feed=contract.table,
        extraction=begun.extraction,
        window=None,
        window_start=None,
        read_at=READ_AT,
        started_at=READ_AT,
        triggered_by="test",
        progress=FeedProgress(last_sync_timestamp=READ_AT, complete_through=READ_AT),
        extracted=len(found),
        suppressed=0,
        unchanged=0,
        held=0,
    )


def of_kind(on_fail: OnFail) -> list[Any]:
    return [
        pytest.param(table, expectation.meta.rule, id=f"{table}-{expectation.meta.rule}")
        for table, contract in contracts().items()
        for expectation in read_suite(contract).expectations
        if expectation.meta.on_fail == on_fail
    ]


def failed(admin: psycopg.Connection) -> set[str]:
    """The rules that the last check found broken."""
    query = "select rule from ops.check_result where not is_success and error is null"
    return {rule for (rule,) in admin.execute(query)}


def run(admin: psycopg.Connection, warehouse: psycopg.Connection, table: str, case: dict[str, Any]) -> LoadResult:
    contract = contracts()[table]
    fill(admin, table, cases(table).get("core", {}), case.get("core", {}))
    staged = stage(warehouse, contract, case["rows"])
    return publish(contract, warehouse, staged, check(contract, warehouse, staged))


@pytest.mark.parametrize("table", TABLES)
def test_bad_rows_are_quarantined_by_their_rule_alone(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str
) -> None:
    contract = contracts()[table]
    rules = [e.meta.rule for e in read_suite(contract).expectations if e.meta.on_fail == "quarantine" and has_case(e)]
    changes = [(rule, row) for rule in rules for row in cases(table)["cases"][rule]["rows"]]
    fill(admin, table, cases(table).get("core", {}))
    staged = stage(warehouse, contract, [{}, *(row for _, row in changes)])
    audit = check(contract, warehouse, staged)

    marked = warehouse.execute(
        sql.SQL("select _rules from {} order by _row").format(sql.Identifier("staging", contract.staging))
    ).fetchall()
    assert marked == [(None,), *(([rule],) for rule, _ in changes)]
    assert failed(admin) == set(rules)
    assert audit == Audit(
        extraction=1,
        suite_checksum=read_suite(contract).checksum,
        checks_passed=len(read_suite(contract).expectations) - len(rules),
        checks_failed=len(rules),
        quarantined=len(changes),
    )
    result = publish(contract, warehouse, staged, audit)
    assert (result.inserted, result.quarantined) == (1, len(changes))
    held = admin.execute("select rules from ops.quarantine order by quarantine_id").fetchall()
    assert sorted(held) == sorted(([rule],) for rule, _ in changes)


@pytest.mark.parametrize("table", TABLES)
def test_no_date_of_any_column_is_outside_the_range_and_no_number_is_none(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str
) -> None:
    contract = contracts()[table]
    bad = implausible(contract.columns)
    staged = stage(warehouse, contract, [{}, *({name: value} for name, value, _ in bad)])
    check(contract, warehouse, staged)
    marked = warehouse.execute(
        sql.SQL("select _rules from {} order by _row").format(sql.Identifier("staging", contract.staging))
    ).fetchall()
    assert marked[0] == (None,)
    assert [rule for (_, _, rule), (rules,) in zip(bad, marked[1:], strict=True) if rule not in rules] == []


@pytest.mark.parametrize(("table", "rule"), of_kind("block"))
def test_a_bad_batch_is_blocked_by_its_rule_alone(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str, rule: str
) -> None:
    with pytest.raises(BatchBlocked, match=rf"as it was: {rule} \(\d+ rows\); see"):
        run(admin, warehouse, table, cases(table)["cases"][rule])
    assert failed(admin) == {rule}
    assert admin.execute("select count(*) from ops.load").fetchone() == (0,)


@pytest.mark.parametrize(("table", "rule"), of_kind("warn"))
def test_an_odd_batch_is_published_with_its_warning_alone(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str, rule: str
) -> None:
    result = run(admin, warehouse, table, cases(table)["cases"][rule])
    assert failed(admin) == {rule}
    assert (result.inserted + result.updated, result.quarantined, result.checks_failed) == (result.extracted, 0, 1)


@pytest.mark.parametrize(
    ("table", "what"), [(table, what) for table in TABLES for what in cases(table).get("holds", {})]
)
def test_what_is_near_a_rule_breaks_none(
    admin: psycopg.Connection, warehouse: psycopg.Connection, table: str, what: str
) -> None:
    result = run(admin, warehouse, table, cases(table)["holds"][what])
    assert failed(admin) == set()
    assert result.inserted == result.extracted
