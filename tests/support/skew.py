"""Tables in which one key or instant has thousands of rows, and the number of rows that a statement reads."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.abc import QueryNoTemplate

ROWS = 2_000
# a statement may read each row this many times, whatever the data; one that pairs rows reads each ROWS times
TIMES = 50
# a rule that pairs rows is stopped and reported
TIMEOUT = "10s"

# the day of rows that share a day; rows with different days are on the days after it
DAY = "1996-01-02"
_ONE: Mapping[str, str] = {
    "uuid": "'00000000-0000-0000-0000-000000000001'::uuid",
    "bigint": "1",
    "integer": "1",
    "smallint": "1",
    "boolean": "false",
    "text": "'1'",
    "text[]": "array['1']",
    "bytea": "'\\x01'",
    "jsonb": "'{}'::jsonb",
    "date": f"'{DAY}'::date",
    "timestamp with time zone": f"'{DAY}'::timestamptz",
}
# n counts from 1
_MANY: Mapping[str, str] = {
    "uuid": "lpad(to_hex(n), 32, '0')::uuid",
    "bigint": "n",
    "integer": "n",
    "text": "n::text",
    "date": f"'{DAY}'::date + n",
    "timestamp with time zone": f"'{DAY}'::timestamptz + n * interval '1 day'",
}
# values that rules and periods look for: living, active, measured
_VALUES: Mapping[str, str] = {
    "deleted_at": "null",
    "merged_into_id": "null",
    "released_at": "null",
    "status": "'active'",
    "has_data": "true",
    "currency_code": "'USD'",
    "_rules": "null",
    "_misfits": "null",
    "_row": "default",
    "level_pct": "80",
    "valid_to": f"case when n = {ROWS} then 'infinity' else '{DAY}'::timestamptz + (n + 1) * interval '1 day' end",
}

_COLUMNS = """
    select a.attname::text, format_type(a.atttypid, a.atttypmod),
           coalesce(array_position(i.indkey::int2[], a.attnum), -1)
    from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
    where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attidentity = ''
    order by a.attnum
"""


class Column(NamedTuple):
    """A column of a table, and its position in the primary key, from 0; -1 outside of it."""

    name: str
    type: str
    place: int


def fill(admin: psycopg.Connection, table: str, first: int = 1, **values: str) -> None:
    """Fill a table with rows that differ only in their key; in a composite key, only in its first column or its time.

    Args:
        admin: a connection to the warehouse.
        table: its name with its schema.
        first: the number of the first row.
        values: expressions for columns; ``n`` is a row's number.
    """
    columns = [Column(*row) for row in admin.execute(_COLUMNS, [table])]
    for varying in _varying(columns):
        expressions = [_expression(column, values, column.name == varying) for column in columns]
        admin.execute(
            sql.SQL("insert into {} ({}) select {} from generate_series({}, {}) n on conflict do nothing").format(
                sql.Identifier(*table.split(".")),
                sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
                sql.SQL(", ").join(expressions),
                first,
                first + ROWS - 1,
            )
        )
    admin.execute(sql.SQL("analyze {}").format(sql.Identifier(*table.split("."))))


def _varying(columns: list[Column]) -> list[str]:
    """Yield the columns that distinguish rows: the first of the key, then its last time."""
    key = [column for column in columns if column.place >= 0 and column.type in _MANY] or columns[:1]
    times = [column.name for column in key if column.type.startswith(("date", "timestamp"))]
    return list(dict.fromkeys([key[0].name, *times[-1:]]))


def _expression(column: Column, values: Mapping[str, str], is_varying: bool) -> sql.SQL:
    kind = column.type.partition("(")[0]
    if column.name in values:
        return sql.SQL(values[column.name])  # the names come from this file and its tests only
    if is_varying:
        return sql.SQL(_MANY[kind])
    plain = "'1'" if kind.startswith("character") else _ONE.get(kind, "1")
    return sql.SQL(_VALUES.get(column.name, plain))


def most_rows(
    connection: psycopg.Connection, statement: QueryNoTemplate, values: Mapping[str, Any] | None = None
) -> int:
    """Run a statement, roll it back, and return the most rows that any step of its plan read.

    Raises:
        psycopg.errors.QueryCanceled: when it takes longer than ``TIMEOUT``.
    """
    text = statement.as_bytes(connection) if isinstance(statement, sql.Composable) else statement
    explain = b"explain (analyze, timing off, format json) " + (text if isinstance(text, bytes) else text.encode())
    with connection.transaction(force_rollback=True):
        connection.execute(f"set local statement_timeout = '{TIMEOUT}'".encode())
        connection.execute("set local jit = off")
        (plan,) = connection.execute(explain, values).fetchone() or ("[]",)
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return max(_looked_at(plan[0]["Plan"]))


def _looked_at(node: Mapping[str, Any]) -> Iterator[int]:
    kept = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    yield int(sum(node.get(name, 0) for name in kept) * node.get("Actual Loops", 1))
    for child in node.get("Plans", ()):
        yield from _looked_at(child)
