"""The statements that change core, its history and the touched days, composed from a feed's contract."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from promptsales.feeds.history import Versions, compose_returned, compose_steps, versions_of
from promptsales.feeds.staging import fill, join_names
from promptsales.feeds.touched import compose_touched
from promptsales.names import in_lines
from promptsales.specs.feed import ANY_ENTITY, Contract, Touched


def soft_delete(contract: Contract) -> sql.Composed:
    """Mark rows of core as deleted that are no longer at the source, note the touched days, and return the count."""
    return fill(
        """
        with merged as (
            update {core} c
            set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
                _loaded_at = clock_timestamp()
            where c.{key} = any(%(keys)s::{type}[])
            returning true as _is_gone{touched_columns}
        ){touched_rows}
        select count(*) from merged
        """,
        contract,
        type=sql.SQL(contract.key_type),
        touched_columns=_touched_columns(contract),
        touched_rows=_touched_rows(contract),
    )


def bring_into_core(contract: Contract, warehouse: psycopg.Connection, values: Mapping[str, Any]) -> tuple[int, int]:
    """Bring staging into core, its history and the touched days; return the numbers of inserted and updated rows.

    Args:
        contract: the feed.
        warehouse: a connection in the transaction that publishes.
        values: the feed's name and the number of the extraction.
    """
    (first,) = warehouse.execute(insert_first(contract), values).fetchone() or (None,)
    if first is None:
        inserted, updated = warehouse.execute(upsert(contract), values).fetchone() or (0, 0)
        return inserted, updated
    if contract.touched:
        warehouse.execute(touch_first(contract, contract.touched), values)
    return first, 0


def insert_first(contract: Contract) -> sql.Composed:
    """Move staging into an empty core table and its history, and return the count; null if there are rows or readers.

    The function builds their indexes after the rows. See `warehouse/ops/load/0004_first_rows.sql` for the rights.
    """
    return sql.SQL("select ops.insert_first_rows({}, {}, %(extraction)s)").format(
        sql.Literal(contract.table), sql.Literal(contract.staging)
    )


def touch_first(contract: Contract, touched: Touched) -> sql.Composed:
    """Note the days of all rows that a first load inserted."""
    return fill(
        """
        with merged as (
            select {entities},
                {days}
            from {staging} as new where _rules is null
        )
        {touched_rows}
        """,
        contract,
        entities=_entities(touched, "new"),
        days=_days(touched, "new"),
        touched_rows=compose_touched(_distinct_days("select distinct _new_entities, _new_days from merged")),
    )


def upsert(contract: Contract) -> sql.Composed:
    """Merge newer and different rows of staging into core, with history and touched days; return both row counts.

    It is one statement, so that each row is looked up once, by its key, however large core is.
    """
    others = tuple(name for name in contract.column_names if name != contract.key)
    return fill(
        """
        with merged as (
            insert into {core} as c ({columns},
                _extraction, _loaded_at)
            select {columns},
                %(extraction)s, clock_timestamp()
            from {staging} where _rules is null order by {key}
            on conflict ({key}) do update
            set {assignments},
                _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
            where c._extraction < excluded._extraction
              and row({current})
                  is distinct from row({excluded})
            returning old.{key} is null as _is_new, new.{key}{history_columns}{touched_columns}
        ){history_rows}{touched_rows}
        select count(*) filter (where _is_new), count(*) filter (where not _is_new) from merged
        """,
        contract,
        assignments=in_lines(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others),
        excluded=join_names(contract.column_names, "excluded"),
        history_columns=compose_returned(_versions(contract), contract.cursor) if contract.history else sql.SQL(""),
        history_rows=compose_steps(_versions(contract)) if contract.history else sql.SQL(""),
        touched_columns=_touched_columns(contract),
        touched_rows=_touched_rows(contract),
    )


def _touched_columns(contract: Contract) -> sql.Composable:
    if contract.touched is None:
        return sql.SQL("")
    return sql.SQL(",\n                {},\n                {},\n                {},\n                {}").format(
        _entities(contract.touched, "old"),
        _days(contract.touched, "old"),
        _entities(contract.touched, "new"),
        _days(contract.touched, "new"),
    )


def _entities(touched: Touched, version: str) -> sql.Composed:
    columns: list[sql.Composable] = [
        sql.SQL("{}::text").format(sql.Identifier(version, name)) for name in touched.entity
    ]
    return sql.SQL("array[{}] as {}").format(
        sql.SQL(", ").join(columns or [sql.Literal(ANY_ENTITY)]), sql.Identifier(f"_{version}_entities")
    )


def _days(touched: Touched, version: str) -> sql.Composed:
    days = (sql.SQL("({} at time zone 'UTC')::date").format(sql.Identifier(version, name)) for name in touched.day)
    return sql.SQL("array[{}] as {}").format(sql.SQL(", ").join(days), sql.Identifier(f"_{version}_days"))


def _touched_rows(contract: Contract) -> sql.Composable:
    # a row that moves to another day or entity also touches the one it leaves
    if contract.touched is None:
        return sql.SQL("")
    versions = "select _old_entities, _old_days from merged union select _new_entities, _new_days from merged"
    return sql.SQL(""", touched as (
            {}
        )""").format(compose_touched(_distinct_days(versions)))


def _distinct_days(versions: str) -> sql.Composed:
    return sql.SQL("""select distinct %(feed)s, entity, day
            from (
                -- few days of many rows: unique first
                {}
            ) x(entities, days), unnest(entities) entity, unnest(days) day
            where entity is not null and day is not null
            order by entity, day""").format(sql.SQL(versions))


def _versions(contract: Contract) -> Versions:
    return versions_of("core", contract.table, contract.key, contract.history)
