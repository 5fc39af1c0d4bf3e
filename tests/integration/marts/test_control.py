"""Control totals: a mart's sums are compared with its inputs before it is published."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from psycopg import sql

from promptsales.errors import TerminalError
from promptsales.marts.control import compare
from promptsales.marts.span import Range, Span
from promptsales.specs.mart import tables
from tests.integration.marts.conftest import Build
from tests.integration.marts.test_marts import counts, fill


def test_rows_that_are_read_twice_are_not_published(
    admin: psycopg.Connection, run: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(admin)
    run("campaign_performance_daily")
    before, slices = counts(admin), Span.slices

    def twice(span: Span, partitions: int) -> Iterator[Range]:
        yield from slices(span, partitions)
        yield from slices(span, partitions)

    monkeypatch.setattr(Span, "slices", twice)
    message = (
        r"mart campaign_performance_daily: not published, .*"
        r"impressions_total \(the total of the inputs is \d+, that of the mart \d+\); spend_total"
    )
    with pytest.raises(TerminalError, match=message):
        run("campaign_performance_daily", is_full=True)
    assert counts(admin) == before
    rules = "select rule, on_fail from ops.check_result where feed = 'campaign_performance_daily' and not is_success"
    assert {("impressions_total", "block"), ("spend_total", "block")} <= {*admin.execute(rules).fetchall()}


def test_each_mart_has_two_totals_and_they_tell_a_double_row(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    run()
    for name, mart in tables().items():
        judged = "select distinct rule, on_fail from ops.check_result where feed = %s and expectation = %s"
        totals: dict[str, str] = dict(admin.execute(judged, [name, "expect_total_to_equal_inputs"]).fetchall())
        assert len(totals) >= 2, name
        columns = [rule.removesuffix("_total") for rule in totals]
        held = {column: summed(admin, name, column) for column in columns}
        assert all(held.values()), f"{name}: a total of nothing compares nothing"
        assert [comparison.is_success for comparison in compare(mart, admin, held)] == [True] * len(held)
        staging = sql.Identifier("staging", mart.staging)
        admin.execute(sql.SQL("insert into {0} table {0}").format(staging))
        assert [comparison.is_success for comparison in compare(mart, admin, held)] == [False] * len(held)


def summed(admin: psycopg.Connection, mart: str, column: str) -> Decimal:
    """Return the sums of the published mart."""
    what = {"row_count": "count(*)", "is_qualified": "count(*) filter (where is_qualified)"}.get(
        column, f"sum({column})"
    )
    row = admin.execute(f"select {what} from marts.{mart}".encode()).fetchone()  # noqa: S608 - of our own
    return Decimal(row[0] or 0) if row else Decimal(0)
