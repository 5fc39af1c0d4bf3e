"""Remove an erased person from every table, for the command that erases and for a load that finds an erased hash.

All of it runs in one transaction, which begins with `exclude_others`. Rows of the person are deleted. References to the
person in other rows are replaced by the id of nobody. The days of both are touched, so that the marts are rebuilt.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from promptsales.erasure import search
from promptsales.erasure.suppression import BUILD_LOCK, NOBODY, SHORTEST, STREAM_LOCK, ErasedRow
from promptsales.errors import TerminalError, TransientError
from promptsales.feeds.staging import staging
from promptsales.feeds.touched import compose_touched
from promptsales.names import identifier
from promptsales.specs.feed import ANY_ENTITY, REBUILD, Contract, contracts
from promptsales.specs.mart import Mart
from promptsales.specs.mart import tables as marts
from promptsales.specs.stream import StreamContract, stream_contracts

_ROW = sql.SQL("(t.*)")
_LOCK_TIMEOUT = "set local lock_timeout = '60s'"


class TableChange(NamedTuple):
    """What was done to rows of a table, and to how many."""

    table: str
    what: str
    rows: int


class Removal(NamedTuple):
    """The changes of a removal, and the tables that were searched."""

    changes: list[TableChange]
    tables: list[search.SearchedTable]


def _statement(name: str) -> bytes:
    return Path(__file__).with_name(f"{name}.sql").read_bytes()


def exclude_others(warehouse: psycopg.Connection) -> None:
    """Exclude builds of marts, loads and the stream until the transaction ends, in the order in which they lock.

    Afterwards no load that has begun can publish, and staging is empty.

    Raises:
        TransientError: when one of them does not end within a minute; nothing was changed.
    """
    try:
        warehouse.execute(_LOCK_TIMEOUT)
        warehouse.execute("select pg_advisory_xact_lock(%s)", [BUILD_LOCK])
        warehouse.execute("update ops.feed set extraction = extraction + 1, fence = extraction + 1")
        for contract in contracts().values():
            warehouse.execute(sql.SQL("truncate {}").format(staging(contract)))
        warehouse.execute("select pg_advisory_xact_lock(%s)", [STREAM_LOCK])
        warehouse.execute("set local lock_timeout to default")
    except psycopg.errors.LockNotAvailable:
        raise TransientError(
            "erase a person: a build of marts or a load has been running for more than a minute and could write the "
            "person again; nothing was erased; retry when it has finished (look at the running DAG runs in Airflow)"
        ) from None


def suppress(warehouse: psycopg.Connection, erased: Iterable[ErasedRow]) -> None:
    """Record the rows that must stay out of all later loads."""
    rows: list[ErasedRow] = sorted(erased, key=lambda row: (row.feed, row.key))
    with warehouse.cursor() as cursor:
        cursor.executemany(_statement("suppress"), rows)


def remove(
    warehouse: psycopg.Connection,
    ids: Collection[str],
    hashes: Collection[bytes],
    touch_more: Callable[[], None] = lambda: None,
) -> Removal:
    """Remove a person from every table, and touch the days that this changes.

    Args:
        warehouse: a connection in the transaction that `exclude_others` began.
        ids: the ids of the person's rows in all feeds.
        hashes: keyed hashes that belong to this person only.
        touch_more: called after days are touched and before anything is removed.

    Raises:
        TerminalError: when a search finds the person afterwards, or ids are too short to search for; the transaction
            must not commit.
    """
    if short := sum(len(key) < SHORTEST for key in ids):
        raise TerminalError(
            f"{short} rows of an erased person have ids of less than {SHORTEST} characters, which may match other rows "
            "by chance; delete them by hand, and insert their feed and id into ops.suppression"
        )
    needles = search.make_needles(ids, hashes)
    tables = search.list_tables(warehouse)
    holding = [table for table, _ in search.find_holding(warehouse, tables, needles)]
    values: dict[str, str | list[str]] = {
        "ids": list(ids),
        "pattern": "|".join(map(re.escape, ids)),
        "hashes": search.make_needles((), hashes),
        "needles": needles,
        "nobody": NOBODY,
    }
    _touch(warehouse, {table.full_name for table in holding}, needles)
    touch_more()
    holding += [table for table in tables if table.full_name == "ops.touched" and table not in holding]
    changes = [change for table in holding for change in _clean(warehouse, table, values)]
    if left := [table.full_name for table, _ in search.find_holding(warehouse, tables, needles)]:
        raise TerminalError(
            f"the person is still in {', '.join(left)}; nothing was erased; please report this as a bug"
        )
    for table in holding:
        # the old statistics of the planner contain sampled values
        warehouse.execute(sql.SQL("analyze {}").format(table.identifier))
    return Removal(changes, tables)


def _touch(warehouse: psycopg.Connection, holding: set[str], needles: list[str]) -> None:
    """Touch the days of every row that is deleted or changed, so that the marts rebuild them."""
    every: list[Contract | StreamContract] = [*contracts().values(), *stream_contracts().values()]
    for contract in every:
        layer = contract.folder.parent.name
        if contract.touched and holding & {f"{layer}.{contract.table}", f"{layer}.{contract.table}_history"}:
            warehouse.execute(compose_touch(layer, contract), {"feed": contract.table, "needles": needles})
    for name, mart in marts().items():
        if f"marts.{name}" in holding:
            warehouse.execute(
                compose_mart_touch(mart), {"mart": f"marts.{name}", "entity": REBUILD, "needles": needles}
            )


def compose_mart_touch(mart: Mart) -> sql.Composed:
    """Compose the statement that touches the periods of a mart's rows that name the person."""
    rows = sql.SQL(_TOUCH_MART).format(
        mart=sql.Identifier("marts", mart.mart), period=sql.Identifier(mart.period or ""), holds=_holds("needles")
    )
    return compose_touched(rows)


def compose_touch(layer: str, contract: Contract | StreamContract) -> sql.Composed:
    """Compose the statement that touches the days of a table's rows that name the person, and of their history."""
    assert contract.touched  # noqa: S101 -- the caller has checked
    entities: list[sql.Composable] = [
        sql.SQL("{}::text").format(sql.Identifier("t", name)) for name in contract.touched.entity
    ]
    history = sql.SQL(" or {0} in (select {0} from {1} t where {2})").format(
        sql.Identifier(contract.key), sql.Identifier(layer, f"{contract.table}_history"), _holds("needles")
    )
    rows = sql.SQL(_TOUCH).format(
        table=sql.Identifier(layer, contract.table),
        entities=sql.SQL(", ").join(entities or [sql.Literal(ANY_ENTITY)]),
        days=sql.SQL(", ").join(sql.Identifier("t", name) for name in contract.touched.day),
        holds=_holds("needles"),
        history=history if contract.history else sql.SQL(""),
    )
    return compose_touched(rows)


# an entity that is the person's id is replaced later, by `_touched_days`
_TOUCH = """select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from {table} t cross join unnest(array[{entities}]) e(entity) cross join unnest(array[{days}]) d(moment)
    where ({holds}{history}) and d.moment is not null and e.entity is not null"""
_TOUCH_MART = """select distinct %(mart)s, %(entity)s, {period} from {mart} t
    where {holds}"""


def _clean(
    warehouse: psycopg.Connection, table: search.SearchedTable, values: dict[str, str | list[str]]
) -> Iterator[TableChange]:
    """Remove the person from a table, and yield what was done."""
    for what, statement in _statements(table):
        rows = warehouse.execute(statement, values).rowcount
        if rows:
            yield TableChange(table.full_name, what, rows)


def _holds(texts: str, where: sql.Composable = _ROW) -> sql.Composed:
    return sql.SQL(
        "exists (select from unnest({}::text[]) needle where position(needle in lower({}::text)) > 0)"
    ).format(sql.Placeholder(texts), where)


def _statements(table: search.SearchedTable) -> Iterator[tuple[str, sql.Composed | bytes]]:
    """Return the statements that delete the person's rows of a table, and replace the person's ids in other rows."""
    if table.full_name in _APPEND_ONLY:
        yield "deleted", sql.SQL("select from ops.forget_erased({})").format(sql.Literal(table.name))
        return
    yield from _OWN.get(table.full_name, tuple)()
    delete = sql.SQL("delete from {} t where {}")
    if table.unique_columns:
        unique = sql.SQL("row({})").format(sql.SQL(", ").join(identifier("t", name) for name in table.unique_columns))
        yield "deleted", delete.format(table.identifier, _holds("needles", unique))
    # some marts select changed rows by _loaded_at
    stamp = sql.SQL(", _loaded_at = clock_timestamp()" if table.is_stamped else "")
    replace = sql.SQL("update {table} set {column} = %(nobody)s{stamp} where {column}::text = any(%(ids)s)")
    for column in table.id_columns:
        yield f"{column} replaced", replace.format(table=table.identifier, column=identifier(column), stamp=stamp)
    for texts in ("hashes", "needles"):
        yield "deleted", delete.format(table.identifier, _holds(texts))


def _quarantined() -> Iterator[tuple[str, sql.Composed | bytes]]:
    mine = sql.SQL("(q.key = any(%(ids)s) or {})").format(_holds("hashes", sql.SQL("q.payload")))
    yield "closed and emptied", sql.SQL("{}{}").format(sql.SQL(_CLOSE_QUARANTINE), mine)
    yield "id replaced", _statement("erase_in_payloads")


# of a quarantined row of the person, only its existence and the rules it broke are kept
_CLOSE_QUARANTINE = """
    update ops.quarantine q
    set key = 'erased', payload = '{}', is_waived = false, released_at = coalesce(released_at, clock_timestamp()),
        release_reason = coalesce(release_reason, 'suppressed')
    where """


def _touched_days() -> Iterator[tuple[str, sql.Composed | bytes]]:
    """Return the statement that moves the person's touched days to nobody and stamps them, so that builds see them."""
    yield "entity_id replaced", _statement("erase_in_touched")


# tables where the loader may only delete rows that name an erased person, through a function
_APPEND_ONLY = ("ops.restatement", "ops.reread")
_OWN: dict[str, Callable[[], Iterable[tuple[str, sql.Composed | bytes]]]] = {
    "ops.quarantine": _quarantined,
    "ops.touched": _touched_days,
}
