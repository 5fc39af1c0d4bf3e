"""Control totals: compare a mart's staged rows with sums that a separate statement computes from the inputs.

The statement is the mart's ``control.sql``. It shares no code with the mart's job and reads the same snapshot, so rows
that a job reads twice, drops, or multiplies by a join are found before the mart is published.
"""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.multirange import Multirange
from psycopg.types.range import DateRange

from promptsales.marts.span import Span
from promptsales.quality.verdict import Verdict
from promptsales.specs.mart import Mart
from promptsales.specs.suite import Expectation, Meta

# the total with this name is the number of rows
_ROWS = "row_count"

Totals = dict[str, Decimal]


def expected_totals(mart: Mart, snapshot: psycopg.Connection, span: Span) -> Totals:
    """Return the totals that the built days must have, by column of the mart; ``row_count`` is the number of rows."""
    values = {
        "ranges": Multirange(DateRange(start, end) for start, end in span.ranges),
        "zone": span.zone,
        "as_of_day": span.as_of_day,
    }
    return _row(snapshot, (mart.folder / "control.sql").read_bytes(), values)


def compare(mart: Mart, warehouse: psycopg.Connection, expected: Totals) -> Iterator[Verdict]:
    """Return a verdict for each total of the mart's staging table; one that differs blocks the publication."""
    summed = [sql.SQL("{} as {}").format(_total(mart, name), sql.Identifier(name)) for name in expected]
    query = sql.SQL("select {} from {}").format(sql.SQL(", ").join(summed), sql.Identifier("staging", mart.staging))
    for name, staged in _row(warehouse, query.as_bytes(warehouse), {}).items():
        yield _verdict(name, expected[name], staged)


def _row(connection: psycopg.Connection, query: bytes, values: dict[str, object]) -> Totals:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query, values or None).fetchone() or {}
    return {name: Decimal(value or 0) for name, value in row.items()}


def _total(mart: Mart, name: str) -> sql.Composed | sql.SQL:
    if name == _ROWS:
        return sql.SQL("count(*)")
    kind = {column.name: column.type for column in mart.columns}[name]
    return sql.SQL("count(*) filter (where {})" if kind == "boolean" else "sum({})").format(sql.Identifier(name))


def _verdict(name: str, expected: Decimal, staged: Decimal) -> Verdict:
    expectation = Expectation(
        type="expect_total_to_equal_inputs",
        kwargs={},
        meta=Meta(rule=f"{name}_total", on_fail="block"),
        description="The total of the built days equals that of the inputs.",
    )
    error = None if staged == expected else f"the total of the inputs is {expected:f}, that of the mart {staged:f}"
    return Verdict(expectation, error is None, None, int(error is not None), [], error)
