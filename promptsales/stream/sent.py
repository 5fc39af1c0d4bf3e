"""Compose the warehouse's rows as the source would send them, from their table or from a quarantine payload."""

from psycopg import sql

from promptsales.names import in_lines, literal
from promptsales.specs.stream import StreamColumn, StreamContract
from promptsales.stream.version import TYPED

INTEGERS = ("integer", "bigint", "smallint")


def compose_sent_row(contract: StreamContract) -> sql.Composed:
    """Compose a row in the form of Debezium's events: decimals and JSON objects as text."""
    return sql.SQL("jsonb_build_object({})").format(
        in_lines(sql.SQL("{}::text, {}").format(literal(column.origin), _sent(column)) for column in contract.columns)
    )


def _sent(column: StreamColumn) -> sql.Composed:
    as_text = column.type.startswith("numeric") or column.type == "jsonb"
    return sql.SQL("{}::text" if as_text else "{}").format(sql.Identifier(column.name))


def compose_payload_columns(contract: StreamContract) -> sql.Composed:
    """Compose the columns of a quarantine payload, with types wide enough for values the table cannot store."""
    columns = [sql.SQL("{} {}").format(sql.Identifier(c.name), wide_type(contract, c)) for c in contract.columns]
    return in_lines([*columns, TYPED, sql.SQL("committed_at timestamptz")])


def compose_missing_columns(
    contract: StreamContract, of_payload: sql.Composable, is_at_source: bool = False
) -> sql.Composed:
    """Compose an array of the columns that a payload lacks: their values are unknown, which is not null."""
    names = [
        sql.SQL("case when not {} ? {} then {} end").format(
            of_payload, sql.Literal(column.name), literal(column.origin) if is_at_source else sql.Literal(column.name)
        )
        for column in contract.columns
    ]
    return sql.SQL("array_remove(array[{}]::text[], null)").format(in_lines(names))


def wide_type(contract: StreamContract, column: StreamColumn) -> sql.SQL:
    """Compose a column's type without a limit; the key keeps its type, so that its index is used."""
    name = column.type.split("(")[0]
    if column.name == contract.key:
        return sql.SQL(column.type)
    if name == "numeric" or name in INTEGERS:
        return sql.SQL("numeric")
    return sql.SQL("text" if name.startswith("character") else column.type)
