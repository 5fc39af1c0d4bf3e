"""Compose the statements that depend on a table's columns, from its contract.

Rows come as one JSON parameter under their source names; PostgreSQL casts them to their types.
"""

from functools import cache
from pathlib import Path

from psycopg import sql

from promptsales.erasure.suppression import is_erased, replace_erased, replace_erased_in
from promptsales.feeds.history import compose_statements, versions_of
from promptsales.feeds.quarantine import INSERT, UPDATE_OPEN
from promptsales.feeds.staging import join_names
from promptsales.feeds.touched import compose_touched
from promptsales.names import identifier, in_lines
from promptsales.specs.stream import StreamColumn, StreamContract, stream_contracts
from promptsales.stream.envelope import OWN, PREFIX
from promptsales.stream.version import COLUMNS, RANK_OF_PARAMETERS, rank_of, rank_of_payload, rank_of_truncation

VERSION = ("is_deleted", *COLUMNS)
# rank of an open quarantine row
HELD_RANK = rank_of_payload("q.payload")
# the table whose changes move the minutes, days and totals of campaigns
FIGURES = "campaign_metrics"
_MEASURED = ("campaign_id", "metric_at", "impressions", "clicks", "spend", "conversions", "is_deleted")


@cache
def read(name: str) -> sql.SQL:
    """Read a statement from its file."""
    return sql.SQL((Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def table(contract: StreamContract) -> sql.Identifier:
    """Return the identifier of a table in the warehouse."""
    return sql.Identifier(contract.layer, contract.table)


def _source(contract: StreamContract) -> sql.Composed:
    """Compose the parameter ``rows`` as a relation with the target's names and types.

    Every row of the stream passes here, whatever brings it. Rows of erased persons and rows older than a TRUNCATE of
    their table are therefore filtered out here.
    """
    types = {c.origin: "text" if c.type == "jsonb" else c.type for c in contract.columns}
    types |= {PREFIX + name: kind for name, (_, _, kind) in OWN.items()}
    columns = [sql.SQL("{} as {}").format(_value(contract, c), sql.Identifier(c.name)) for c in contract.columns]
    columns += [sql.SQL("{} as {}").format(identifier("x", PREFIX + name), sql.Identifier(name)) for name in OWN]
    return sql.SQL("""

        select {columns}
        from json_to_recordset(%(rows)s::json) as x({types})
        where not {is_erased} and ({is_deleted} or not exists (
            select from ops.truncation d where d.feed = {name} and {rank} < {truncation}
        ))
    """).format(
        name=sql.Literal(contract.table),
        columns=in_lines(columns),
        types=in_lines(sql.SQL("{} {}").format(identifier(name), sql.SQL(types[name])) for name in types),
        is_erased=is_erased(identifier("x", contract.key_origin)),
        is_deleted=identifier("x", PREFIX + "is_deleted"),
        rank=rank_of("x", PREFIX),
        truncation=rank_of_truncation("d"),
    )


def _value(contract: StreamContract, column: StreamColumn) -> sql.Composed:
    value = identifier("x", column.origin)
    if column.name in contract.references:
        return replace_erased(value)
    return sql.SQL("{}::jsonb" if column.type == "jsonb" else "{}").format(value)


@cache
def upsert(name: str) -> bytes:
    """Compose a statement that merges rows (one per key) where they are newer, and moves the figures that follow.

    A delete keeps the last values; a delete that comes first leaves a row without values. Rows are locked by key.
    """
    contract = stream_contracts()[name]
    changing = tuple(column for column in contract.column_names if column != contract.key)
    return (
        sql.SQL("""
        with src as ({source}),
        up as (
            insert into {table} as t ({columns}, {version}, _loaded_at)
            select {columns}, {version}, clock_timestamp() from src order by {key}
            on conflict ({key}) do update
            set {assignments}, {new_version}, _loaded_at = excluded._loaded_at
            where {rank} < {new_rank}
            returning {returned}
        ){touched}{result}
    """)
        .format(
            source=_source(contract),
            table=table(contract),
            rank=rank_of("t"),
            new_rank=rank_of("excluded"),
            columns=join_names(contract.column_names),
            version=join_names(VERSION),
            key=sql.Identifier(contract.key),
            assignments=in_lines(
                sql.SQL("{0} = case when excluded.is_deleted then t.{0} else excluded.{0} end").format(
                    sql.Identifier(column)
                )
                for column in changing
            ),
            new_version=in_lines(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(part)) for part in VERSION),
            returned=_returned(contract),
            touched=_touched(contract),
            result=read("campaign_figures") if name == FIGURES else sql.SQL("\nselect count(*) from up"),
        )
        .as_bytes()
    )


def _returned(contract: StreamContract) -> sql.Composed:
    names = _MEASURED if contract.table == FIGURES else ()
    if contract.touched:
        names = tuple(dict.fromkeys((*names, *contract.touched.columns)))
    return in_lines(
        sql.SQL("{} as {}").format(sql.Identifier(side, name), sql.Identifier(f"{side}_{name}"))
        for side in ("old", "new")
        for name in names or (contract.key,)
    )


def _touched(contract: StreamContract) -> sql.Composable:
    # a row that moves to another day or entity also touches the one it leaves
    if contract.touched is None:
        return sql.SQL("")
    moves = [
        sql.SQL("select {}, {} from up").format(sql.Identifier(f"{side}_{entity}"), sql.Identifier(f"{side}_{day}"))
        for side in ("old", "new")
        for entity in contract.touched.entity
        for day in contract.touched.day
    ]
    rows = sql.SQL("""select {name}, entity::text, (day at time zone 'UTC')::date
            from ({moves}) x(entity, day)
            where entity is not null and day is not null
            group by 1, 2, 3 order by 1, 2, 3""")
    return sql.SQL(""", touched as (
            {}
        )""").format(
        compose_touched(rows.format(name=sql.Literal(contract.table), moves=sql.SQL(" union ").join(moves)))
    )


@cache
def history(name: str) -> tuple[bytes, ...]:
    """Compose the statements that bring the history up to the merged rows: amend, close, open. They are idempotent."""
    contract = stream_contracts()[name]
    merged = sql.SQL("""
                (select c.*, s.committed_at from ({source}) s join {table} c using ({key})
                 where not c.is_deleted and (c.src_epoch, c.src_lsn, c.src_is_snapshot)
                     = (s.src_epoch, s.src_lsn, s.src_is_snapshot))
            """).format(source=_source(contract), table=table(contract), key=sql.Identifier(contract.key))
    versions = versions_of(contract.layer, contract.table, contract.key, contract.history)
    return tuple(statement.as_bytes() for statement in compose_statements(versions, merged))


@cache
def quarantine(name: str) -> bytes:
    """Compose a statement that stores bad versions newer than the table's; storing the same one again changes nothing.

    A payload lacks the columns whose values are unknown.
    """
    contract = stream_contracts()[name]
    return (
        sql.SQL("""
        with src as ({source}),
        judged as (
            select s.*, r.rules as _rules, r.missing as _missing from src s
            join json_to_recordset(%(broken)s::json) as r(key text, rules text[], missing text[])
              on r.key = s.{key}::text
        )
        {insert}
        select {name}, j.{key}::text, j.src_lsn, j._rules, %(suite_checksum)s,
               to_jsonb(j.*) - '{{_rules,_missing}}'::text[] - j._missing,
               exists (select from {table} t where t.{key} = j.{key})
        from judged j
        where not exists (
            select from {table} t where t.{key} = j.{key}
              and {rank} >= {new_rank}
        )
        order by j.{key}
        {update_open}
        where {held_rank} < {excluded_rank}
    """)
        .format(
            insert=INSERT,
            update_open=UPDATE_OPEN,
            source=_source(contract),
            rank=rank_of("t"),
            new_rank=rank_of("j"),
            held_rank=HELD_RANK,
            excluded_rank=rank_of_payload("excluded.payload"),
            key=sql.Identifier(contract.key),
            name=sql.Literal(name),
            table=table(contract),
        )
        .as_bytes()
    )


@cache
def set_aside(name: str) -> bytes:
    """Compose a statement that stores a row the table cannot hold, unless a newer version has arrived."""
    contract = stream_contracts()[name]
    return (
        sql.SQL("""
        {insert}
        select {name}, k.key::text, %(lsn)s, array[%(rule)s], %(suite_checksum)s,
               k.payload || {unnamed} || jsonb_build_object(
                   'src_epoch', %(epoch)s::integer, 'src_commit', %(commit)s::bigint, 'src_lsn', %(lsn)s::bigint,
                   'src_is_snapshot', %(is_snapshot)s, 'is_deleted', false),
               exists (select from {table} t where t.{key} = k.key)
        from (select %(key)s::{type}, %(values)s::jsonb) as k(key, payload)
        where not {is_erased} and not exists (
            select from {table} t where t.{key} = k.key
              and {rank} > {given}
        )
        {update_open}
        where {held_rank} <= {given}
    """)
        .format(
            insert=INSERT,
            update_open=UPDATE_OPEN,
            name=sql.Literal(name),
            table=table(contract),
            key=sql.Identifier(contract.key),
            type=sql.SQL(contract.key_type),
            rank=rank_of("t"),
            given=RANK_OF_PARAMETERS,
            held_rank=HELD_RANK,
            is_erased=is_erased(sql.Identifier("k", "key")),
            unnamed=replace_erased_in(sql.Identifier("k", "payload"), contract.references),
        )
        .as_bytes()
    )


@cache
def release(name: str) -> bytes:
    """Compose a statement that closes the quarantine of keys whose table row is newer."""
    contract = stream_contracts()[name]
    return (
        sql.SQL("""
        update ops.quarantine q
        set released_at = clock_timestamp(), release_reason = case when q.is_waived then 'waived' else 'repaired' end
        from {table} t
        where q.feed = {name} and q.released_at is null and q.key = any(%(keys)s::text[]) and q.key = t.{key}::text
          and t.{key} = any(%(keys)s::{type}[])
          and {held_rank} <= {rank}
    """)
        .format(
            table=table(contract),
            name=sql.Literal(name),
            key=sql.Identifier(contract.key),
            type=sql.SQL(contract.key_type),
            held_rank=HELD_RANK,
            rank=rank_of("t"),
        )
        .as_bytes()
    )
