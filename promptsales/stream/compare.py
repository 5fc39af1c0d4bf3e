"""What the source has and what the warehouse has of a streamed table: counts, sums and hashes by hour, rows by key.

The warehouse has a row in the table, or its newest version in quarantine. Values are compared as types without a limit
hold them: an explicit cast to a narrower one cuts a text without a word, and fails for a number.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from promptsales import names
from promptsales.erasure.suppression import ERASED, is_erased, replace_erased
from promptsales.names import identifier, in_lines, literal
from promptsales.specs.stream import StreamColumn, StreamContract
from promptsales.stream.sent import INTEGERS, missing, payload, sent, wide_type
from promptsales.stream.statements import table
from promptsales.stream.version import Version, version_of

_SUMMED = (*INTEGERS, "numeric")
# who was erased, as the source's session was told; a session that was told nothing is refused
_ERASED = sql.SQL("(select unnest(string_to_array(current_setting('promptsales.erased'), ',')))")
_TELL_ERASED = "select set_config('promptsales.erased', %s, false)"


class Found(NamedTuple):
    """A row: its key, the values to compare, its version in the warehouse, or how the stream would send it.

    The values are an object as JSON, under the warehouse's names; of a row that is deleted there are none.
    """

    key: Any
    values: str | None
    version: Version | None
    row: Mapping[str, Any] | None


def prepare(source: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    """Let both sides say the same: naive times at the source are UTC, and an erased person is named by neither."""
    for connection in (source, warehouse):
        connection.execute("set time zone 'UTC'")
    query = sql.SQL("select distinct key from {} as erased").format(ERASED)
    erased = [key for (key,) in warehouse.execute(query)]
    source.execute(_TELL_ERASED, [",".join(erased)])


def hours(contract: StreamContract, warehouse: psycopg.Connection, window: Mapping[str, datetime]) -> dict[Any, Any]:
    """Rows and sums by hour, as the warehouse has them."""
    return _hours(contract, warehouse, ours(contract), window)


def source_hours(
    contract: StreamContract, source: psycopg.Connection, window: Mapping[str, datetime]
) -> dict[Any, Any]:
    """Rows and sums by hour, as the source has them."""
    return _hours(contract, source, theirs(contract), window)


def _hours(
    contract: StreamContract, connection: psycopg.Connection, relation: sql.Composed, window: Mapping[str, datetime]
) -> dict[Any, Any]:
    return {hour: tuple(figures) for hour, *figures in connection.execute(by_hour(contract, relation), window)}


def by_hour(contract: StreamContract, relation: sql.Composed) -> sql.Composed:
    """Compose rows and sums by hour of a side's rows (`ours`, `theirs`)."""
    sums = [sql.SQL(", sum({})").format(sql.Identifier(column.name)) for column in _measures(contract)]
    # what is no measure counts too: eight hexadecimal digits of each row's hash, as a number
    return sql.SQL("""
        select date_trunc('hour', updated_at, 'UTC'), count(*){sums},
               sum(('x' || left(encode(sha256(convert_to({values}::text, 'UTF8')), 'hex'), 8))
                   ::bit(32)::bigint)
        from {relation} as r
        where not is_deleted and updated_at >= %(since)s and updated_at < %(until)s group by 1
    """).format(sums=sql.SQL("").join(sums), values=_parts(contract)["values"], relation=relation)


def keys(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, unequal: list[datetime]
) -> list[str]:
    """Every key, as text, that either side has in some hours."""
    found: set[str] = set()
    for connection, relation in ((warehouse, ours(contract)), (source, theirs(contract))):
        span = (unequal[0], unequal[-1] + timedelta(hours=1), unequal)
        found.update(key for (key,) in connection.execute(keys_of_hours(contract, relation), span))
    return sorted(found)


def keys_of_hours(contract: StreamContract, relation: sql.Composed) -> sql.Composed:
    """Compose the keys that a side's rows of some hours have."""
    return sql.SQL("""
        select {key}::text from {relation} as r
        where not is_deleted and updated_at >= %s and updated_at < %s
          and date_trunc('hour', updated_at, 'UTC') = any(%s)
    """).format(key=sql.Identifier(contract.key), relation=relation)


def rows(contract: StreamContract, warehouse: psycopg.Connection, wanted: list[str]) -> dict[str, Found]:
    """Rows by key, as the warehouse has them; deleted ones too, for their versions."""
    return {
        text: Found(key, values, Version(*version), None)
        for text, key, values, *version in warehouse.execute(by_key(contract), [wanted])
    }


def by_key(contract: StreamContract) -> sql.Composed:
    """Compose rows by key, as the warehouse has them."""
    return sql.SQL("""
        select {key}::text, to_jsonb({key}), case when not is_deleted then {values}::text end,
               {version}
        from {relation} as r where {key} = any(%s::{type}[])
    """).format(**_parts(contract), relation=ours(contract), version=version_of("r"))


def source_rows(contract: StreamContract, source: psycopg.Connection, wanted: list[str]) -> dict[str, Found]:
    """Rows by key, as the source has them."""
    found = source.execute(source_by_key(contract), [wanted])
    return {text: Found(key, values, None, sent) for text, key, values, sent in found}


def source_by_key(contract: StreamContract) -> sql.Composed:
    """Compose rows by key, as the source has them."""
    return sql.SQL("""
        select {key}::text, to_jsonb({key}), {values}::text, {sent}
        from {relation} as r where {key} = any(%s::{type}[])
    """).format(**_parts(contract), relation=theirs(contract), sent=sent(contract))


def held(contract: StreamContract) -> sql.Composed:
    """Mark an open row of quarantine (parameter ``id``) as waived.

    It answers with the row's key, how the stream would send it, its version, and when it was committed.
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
        feed=sql.Literal(contract.table), key=sql.Identifier(contract.key), sent=sent(contract),
        types=payload(contract), missing=missing(contract, sql.SQL("_payload"), is_at_source=True),
        version=version_of("x"),
    )  # fmt: skip


def _parts(contract: StreamContract) -> dict[str, sql.Composable]:
    return {
        "key": sql.Identifier(contract.key),
        "type": sql.SQL(contract.key_type),
        "values": values_of(contract),
    }


def values_of(contract: StreamContract) -> sql.Composed:
    """Compose a row to compare, as an object; what is not known is no null, so it differs from one."""
    return sql.SQL("(jsonb_build_object({}) - _missing)").format(
        in_lines(
            sql.SQL("{}::text, {}").format(sql.Literal(column.name), _compared(column)) for column in contract.columns
        )
    )


def _compared(column: StreamColumn) -> sql.Composed:
    """A value to compare: of an object the listed keys, which are all that is kept of it."""
    if not column.keys:
        return sql.SQL("{}").format(sql.Identifier(column.name))
    return sql.SQL("""
        case when jsonb_typeof({name}) = 'object' then (
            select coalesce(jsonb_object_agg(key, value), '{{}}') from jsonb_each({name}) where key in ({keys})
        ) else {name} end
    """).format(name=sql.Identifier(column.name), keys=in_lines(map(literal, column.keys)))


def _measures(contract: StreamContract) -> list[StreamColumn]:
    return [column for column in contract.columns if column.type.startswith(_SUMMED) and column.name != contract.key]


def _plain(contract: StreamContract, column: StreamColumn, value: sql.Composable) -> sql.Composed:
    """A value of that type, written one way only: rounded to the column's scale as on its way into it, or trimmed."""
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


def _all_of_source(contract: StreamContract) -> sql.Composed:
    plain = {c.name: _plain(contract, c, identifier("s", c.origin)) for c in contract.columns}
    values = {
        name: replace_erased(value, _ERASED) if name in contract.references else value for name, value in plain.items()
    }
    return in_lines(sql.SQL("{} as {}").format(value, sql.Identifier(name)) for name, value in values.items())


def theirs(contract: StreamContract) -> sql.Composed:
    """The source's table under the warehouse's names, as the stream may bring it; see `prepare`."""
    return sql.SQL("""
        (select {}, false as is_deleted, '{{}}'::text[] as _missing
         from {} as s
         where not {})
    """).format(
        _all_of_source(contract),
        names.relation(contract.source.relation),
        is_erased(identifier("s", contract.key_origin), _ERASED),
    )


def ours(contract: StreamContract) -> sql.Composed:
    """What the warehouse has: the table, but for a row whose newest version is in quarantine, that one."""
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
        of_table=_all_plain(contract, "t"), of_payload=_all_plain(contract, "x"), types=payload(contract),
        missing=missing(contract, sql.SQL("q.payload")), table=table(contract), name=sql.Literal(contract.table),
        key=sql.Identifier(contract.key), version_of_table=version_of("t"), version_of_payload=version_of("x"),
    )  # fmt: skip
