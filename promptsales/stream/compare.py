"""Compare a streamed table with its source: counts, sums and hashes by hour, and rows by key.

The warehouse's version of a row is in the table, or in quarantine if the newest one broke a rule. Values are cast to
types without a limit: a cast to a narrower type cuts a text silently and fails for a number.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from promptsales import names
from promptsales.erasure.suppression import ERASED, is_erased, replace_erased
from promptsales.hashing.redaction import compose_json_redaction, compose_redaction
from promptsales.names import identifier, in_lines, literal
from promptsales.specs.column import REDACTED
from promptsales.specs.stream import StreamColumn, StreamContract
from promptsales.stream.sent import (
    INTEGERS,
    compose_missing_columns,
    compose_payload_columns,
    compose_sent_row,
    wide_type,
)
from promptsales.stream.statements import table
from promptsales.stream.version import Version, version_of

_SUMMED = (*INTEGERS, "numeric")
# the erased persons, from a setting of the source's session; without the setting the query fails
_ERASED = sql.SQL("(select unnest(string_to_array(current_setting('promptsales.erased'), ',')))")
_SET_ERASED = "select set_config('promptsales.erased', %s, false)"


class SideRow(NamedTuple):
    """A row of one side: its key, the values to compare, and its version (warehouse) or its event form (source).

    The values are a JSON object under the warehouse's column names; None for a deleted row.
    """

    key: Any
    values: str | None
    version: Version | None
    row: Mapping[str, Any] | None


def prepare(source: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    """Set up both sessions so that they agree: naive times are UTC, and references to erased persons are null."""
    for connection in (source, warehouse):
        connection.execute("set time zone 'UTC'")
    query = sql.SQL("select distinct key from {} as erased").format(ERASED)
    erased = [key for (key,) in warehouse.execute(query)]
    source.execute(_SET_ERASED, [",".join(erased)])


def count_by_hour(
    contract: StreamContract, warehouse: psycopg.Connection, window: Mapping[str, datetime]
) -> dict[Any, Any]:
    """Return the warehouse's row counts and sums by hour."""
    return _count_by_hour(contract, warehouse, compose_warehouse_rows(contract), window)


def count_source_by_hour(
    contract: StreamContract, source: psycopg.Connection, window: Mapping[str, datetime]
) -> dict[Any, Any]:
    """Return the source's row counts and sums by hour."""
    return _count_by_hour(contract, source, compose_source_rows(contract), window)


def _count_by_hour(
    contract: StreamContract, connection: psycopg.Connection, relation: sql.Composed, window: Mapping[str, datetime]
) -> dict[Any, Any]:
    return {hour: tuple(figures) for hour, *figures in connection.execute(compose_by_hour(contract, relation), window)}


def compose_by_hour(contract: StreamContract, relation: sql.Composed) -> sql.Composed:
    """Compose a query for row counts and sums by hour over the rows of a side."""
    sums = [sql.SQL(", sum({})").format(sql.Identifier(column.name)) for column in _measures(contract)]
    # covers the columns that have no sum: eight hexadecimal digits of each row's hash, as a number
    return sql.SQL("""
        select date_trunc('hour', updated_at, 'UTC'), count(*){sums},
               sum(('x' || left(encode(sha256(convert_to({values}::text, 'UTF8')), 'hex'), 8))
                   ::bit(32)::bigint)
        from {relation} as r
        where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1
    """).format(sums=sql.SQL("").join(sums), values=_parts(contract)["values"], relation=relation)


def read_keys(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, unequal: list[datetime]
) -> list[str]:
    """Return every key, as text, that either side has in the given hours."""
    both: set[str] = set()
    for connection, relation in (
        (warehouse, compose_warehouse_rows(contract)),
        (source, compose_source_rows(contract)),
    ):
        span = (unequal[0], unequal[-1] + timedelta(hours=1), unequal)
        both.update(key for (key,) in connection.execute(compose_keys_of_hours(contract, relation), span))
    return sorted(both)


def compose_keys_of_hours(contract: StreamContract, relation: sql.Composed) -> sql.Composed:
    """Compose a query for the keys of a side's rows in given hours."""
    return sql.SQL("""
        select {key}::text from {relation} as r
        where not is_deleted and updated_at >= %s and updated_at < %s
          and date_trunc('hour', updated_at, 'UTC') = any(%s)
    """).format(key=sql.Identifier(contract.key), relation=relation)


def read_rows(contract: StreamContract, warehouse: psycopg.Connection, keys: list[str]) -> dict[str, SideRow]:
    """Return the warehouse's rows by key, deleted ones included because their versions matter."""
    return {
        text: SideRow(key, values, Version(*version), None)
        for text, key, values, *version in warehouse.execute(compose_by_key(contract), [keys])
    }


def compose_by_key(contract: StreamContract) -> sql.Composed:
    """Compose a query for the warehouse's rows by key."""
    return sql.SQL("""
        select {key}::text, to_jsonb({key}), case when not is_deleted then {values}::text end,
               {version}
        from {relation} as r where {key} = any(%s::{type}[])
    """).format(**_parts(contract), relation=compose_warehouse_rows(contract), version=version_of("r"))


def read_source_rows(contract: StreamContract, source: psycopg.Connection, keys: list[str]) -> dict[str, SideRow]:
    """Return the source's rows by key."""
    rows = source.execute(compose_source_by_key(contract), [keys])
    return {text: SideRow(key, values, None, event) for text, key, values, event in rows}


def compose_source_by_key(contract: StreamContract) -> sql.Composed:
    """Compose a query for the source's rows by key."""
    return sql.SQL("""
        select {key}::text, to_jsonb({key}), {values}::text, {sent}
        from {relation} as r where {key} = any(%s::{type}[])
    """).format(**_parts(contract), relation=compose_source_rows(contract), sent=compose_sent_row(contract))


def compose_waive(contract: StreamContract) -> sql.Composed:
    """Compose a statement that marks an open quarantine row (parameter ``id``) as waived.

    It returns the row's key, its event form, its version and its commit time.
    """
    return sql.SQL("""
        with held as (
            update ops.quarantine set is_waived = true
            where quarantine_id = %(id)s and feed = {feed} and released_at is null
            returning payload as _payload, last_tried_at as _last_tried_at
        )
        select to_jsonb({key}), {sent} - {missing}, {version},
               coalesce(committed_at, _last_tried_at)
        from held cross join lateral jsonb_to_record(_payload) as x({types})
    """).format(
        feed=sql.Literal(contract.table), key=sql.Identifier(contract.key), sent=compose_sent_row(contract),
        types=compose_payload_columns(contract), version=version_of("x"),
        missing=compose_missing_columns(contract, sql.SQL("_payload"), is_at_source=True),
    )  # fmt: skip


def _parts(contract: StreamContract) -> dict[str, sql.Composable]:
    return {
        "key": sql.Identifier(contract.key),
        "type": sql.SQL(contract.key_type),
        "values": compose_values(contract),
    }


def compose_values(contract: StreamContract) -> sql.Composed:
    """Compose the values of a row to compare, as an object; an unknown value is left out, so it differs from null."""
    return sql.SQL("(jsonb_build_object({}) - _missing)").format(
        in_lines(
            sql.SQL("{}::text, {}").format(sql.Literal(column.name), _compared(column)) for column in contract.columns
        )
    )


def _compared(column: StreamColumn) -> sql.Composed:
    """Compose a value to compare: of a JSON object only the listed keys, because only they are kept."""
    if not column.keys:
        return sql.SQL("{}").format(sql.Identifier(column.name))
    value: sql.Composable = sql.Identifier("value")
    if column.transform in REDACTED:
        value = compose_json_redaction(value)
    return sql.SQL("""
        case when jsonb_typeof({name}) = 'object' then (
            select coalesce(jsonb_object_agg(key, {value}), '{{}}') from jsonb_each({name}) where key in ({keys})
        ) else {name} end
    """).format(name=sql.Identifier(column.name), keys=in_lines(map(literal, column.keys)), value=value)


def _measures(contract: StreamContract) -> list[StreamColumn]:
    return [column for column in contract.columns if column.type.startswith(_SUMMED) and column.name != contract.key]


def _plain(contract: StreamContract, column: StreamColumn, value: sql.Composable) -> sql.Composed:
    """Compose a value in one canonical form: numbers rounded to the column's scale, or without trailing zeros."""
    wide = sql.SQL("{}::{}").format(value, wide_type(contract, column))
    if column.name == contract.key or not column.type.startswith((*INTEGERS, "numeric")):
        return wide
    if scale := re.search(r"\(\d+(?:,\s*(\d+))?\)", column.type):
        return sql.SQL("round({}, {})").format(wide, sql.Literal(int(scale[1] or 0)))
    return sql.SQL("trim_scale({})").format(wide)


def _all_plain(contract: StreamContract, relation: str) -> sql.Composed:
    return in_lines(
        sql.SQL("{} as {}").format(_plain(contract, c, sql.Identifier(relation, c.name)), sql.Identifier(c.name))
        for c in contract.columns
    )


def _as_stored(contract: StreamContract, column: StreamColumn) -> sql.Composed:
    """Compose a value of the source as the stream stores it, except JSON objects, which `_compared` cleans."""
    plain = _plain(contract, column, identifier("s", column.origin))
    return compose_redaction(column, plain) if column.transform in REDACTED and not column.keys else plain


def _all_of_source(contract: StreamContract) -> sql.Composed:
    plain = {c.name: _as_stored(contract, c) for c in contract.columns}
    values = {
        name: replace_erased(value, _ERASED) if name in contract.references else value for name, value in plain.items()
    }
    return in_lines(sql.SQL("{} as {}").format(value, sql.Identifier(name)) for name, value in values.items())


def compose_source_rows(contract: StreamContract) -> sql.Composed:
    """Compose the source's table under the warehouse's names, as the stream may deliver it; call `prepare` first."""
    return sql.SQL("""
        (select {}, false as is_deleted, '{{}}'::text[] as _missing
         from {} as s
         where not {})
    """).format(
        _all_of_source(contract),
        names.relation(contract.source.relation),
        is_erased(identifier("s", contract.key_origin), _ERASED),
    )


def compose_warehouse_rows(contract: StreamContract) -> sql.Composed:
    """Compose the warehouse's newest known rows: those of the table, replaced by open ones in quarantine."""
    return sql.SQL("""
        (select {of_table}, t.is_deleted, '{{}}'::text[] as _missing, {version_of_table}
         from {table} t
         where not exists (
             select from ops.quarantine q where q.feed = {name} and q.key = t.{key}::text and q.released_at is null
         )
         union all
         select {of_payload}, false, {missing}, {version_of_payload}
         from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x({types})
         where q.feed = {name} and q.released_at is null)
    """).format(
        of_table=_all_plain(contract, "t"), of_payload=_all_plain(contract, "x"), table=table(contract),
        types=compose_payload_columns(contract), missing=compose_missing_columns(contract, sql.SQL("q.payload")),
        name=sql.Literal(contract.table), key=sql.Identifier(contract.key),
        version_of_table=version_of("t"), version_of_payload=version_of("x"),
    )  # fmt: skip
