"""What the source has and what the warehouse has of a streamed table: counts, sums and hashes by hour, rows by key.

The warehouse has a row in the table, or its newest version in quarantine.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from promptsales.stream_contracts import StreamColumn, StreamContract
from streams.repair import Version
from streams.statements import table

_SUMMED = ("integer", "bigint", "smallint", "numeric")


class Found(NamedTuple):
    """A row: its key, the values to compare, its version in the warehouse, or how the stream would send it."""

    key: Any
    values: Mapping[str, Any]
    version: Version | None
    row: Mapping[str, Any] | None


def hours(contract: StreamContract, warehouse: psycopg.Connection, window: Mapping[str, datetime]) -> dict[Any, Any]:
    """Rows and sums by hour, as the warehouse has them."""
    return _hours(contract, warehouse, _ours(contract), window)


def source_hours(
    contract: StreamContract, source: psycopg.Connection, window: Mapping[str, datetime]
) -> dict[Any, Any]:
    """Rows and sums by hour, as the source has them."""
    return _hours(contract, source, _theirs(contract), window)


def _hours(
    contract: StreamContract, connection: psycopg.Connection, relation: sql.Composed, window: Mapping[str, datetime]
) -> dict[Any, Any]:
    sums = [sql.SQL(", sum({})").format(sql.Identifier(column.name)) for column in _measures(contract)]
    # what is no measure counts too: eight hexadecimal digits of each row's hash, as a number
    query = sql.SQL("""
        select date_trunc('hour', updated_at, 'UTC'), count(*){sums},
               sum(('x' || left(encode(sha256(convert_to(jsonb_build_object({values})::text, 'UTF8')), 'hex'), 8))
                   ::bit(32)::bigint)
        from {relation} as r
        where updated_at >= %(since)s and updated_at < %(until)s group by 1
    """).format(sums=sql.SQL("").join(sums), values=_parts(contract)["values"], relation=relation)
    return {hour: tuple(figures) for hour, *figures in connection.execute(query, window)}


def keys(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, unequal: list[datetime]
) -> list[str]:
    """Every key, as text, that either side has in some hours."""
    found: set[str] = set()
    for connection, relation in ((warehouse, _ours(contract)), (source, _theirs(contract))):
        query = sql.SQL("""
            select {key}::text from {relation} as r
            where updated_at >= %s and updated_at < %s and date_trunc('hour', updated_at, 'UTC') = any(%s)
        """).format(key=sql.Identifier(contract.key), relation=relation)
        span = (unequal[0], unequal[-1] + timedelta(hours=1), unequal)
        found.update(key for (key,) in connection.execute(query, span))
    return sorted(found)


def rows(contract: StreamContract, warehouse: psycopg.Connection, wanted: list[str]) -> dict[str, Found]:
    """Rows by key, as the warehouse has them."""
    query = sql.SQL("""
        select {key}::text, to_jsonb({key}), jsonb_build_object({values}), src_epoch, src_lsn, src_is_snapshot
        from {relation} as r where {key} = any(%s::{type}[])
    """).format(**_parts(contract), relation=_ours(contract))
    return {
        text: Found(key, values, Version(*version), None)
        for text, key, values, *version in warehouse.execute(query, [wanted])
    }


def source_rows(contract: StreamContract, source: psycopg.Connection, wanted: list[str]) -> dict[str, Found]:
    """Rows by key, as the source has them."""
    query = sql.SQL("""
        select {key}::text, to_jsonb({key}), jsonb_build_object({values}), jsonb_build_object({sent})
        from {relation} as r where {key} = any(%s::{type}[])
    """).format(
        **_parts(contract),
        relation=_theirs(contract),
        sent=sql.SQL(", ").join(
            sql.SQL("{}::text, {}").format(sql.Literal(column.origin), _sent(column)) for column in contract.columns
        ),
    )
    return {text: Found(key, values, None, sent) for text, key, values, sent in source.execute(query, [wanted])}


def _parts(contract: StreamContract) -> dict[str, sql.Composable]:
    return {
        "key": sql.Identifier(contract.key),
        "type": sql.SQL(contract.key_type),
        "values": sql.SQL(", ").join(
            sql.SQL("{}::text, {}").format(sql.Literal(column.name), _compared(column)) for column in contract.columns
        ),
    }


def _compared(column: StreamColumn) -> sql.Composed:
    """A value to compare: of an object the listed keys, which are all that is kept of it."""
    if not column.keys:
        return sql.SQL("{}").format(sql.Identifier(column.name))
    return sql.SQL("""
        case when jsonb_typeof({name}) = 'object' then (
            select coalesce(jsonb_object_agg(key, value), '{{}}') from jsonb_each({name}) where key = any({keys})
        ) else {name} end
    """).format(name=sql.Identifier(column.name), keys=sql.Literal(list(column.keys)))


def _sent(column: StreamColumn) -> sql.Composed:
    """A value as Debezium would send it: decimals and objects as text."""
    as_text = column.type.startswith("numeric") or column.type == "jsonb"
    return sql.SQL("{}::text" if as_text else "{}").format(sql.Identifier(column.name))


def _measures(contract: StreamContract) -> list[StreamColumn]:
    return [column for column in contract.columns if column.type.startswith(_SUMMED) and column.name != contract.key]


def _theirs(contract: StreamContract) -> sql.Composed:
    """The source's table under the warehouse's names and types; its naive times are UTC, as the session's zone is."""
    columns = [
        sql.SQL("{}::{} as {}").format(sql.Identifier(c.origin), sql.SQL(c.type), sql.Identifier(c.name))
        for c in contract.columns
    ]
    relation = sql.Identifier(*contract.source.relation.split("."))
    return sql.SQL("(select {} from {})").format(sql.SQL(", ").join(columns), relation)


def _ours(contract: StreamContract) -> sql.Composed:
    """What the warehouse has: the table, but for a row whose newest version is in quarantine, that one."""
    return sql.SQL("""
        (select t.* from {table} t
         where not t.is_deleted and not exists (
             select from ops.quarantine q where q.feed = {name} and q.key = t.{key}::text and q.released_at is null
         )
         union all
         select (jsonb_populate_record(null::{table}, q.payload)).* from ops.quarantine q
         where q.feed = {name} and q.released_at is null)
    """).format(table=table(contract), name=sql.Literal(contract.table), key=sql.Identifier(contract.key))
