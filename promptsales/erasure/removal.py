"""Erased persons taken out of every table, whoever finds them: the command that erases, or a load that meets a hash.

Everything here belongs into one transaction, which begins with `exclude_others`. Rows that are the person's go. Rows of
others that name the person name nobody afterwards. The days of both are touched, so that marts keep their figures.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from promptsales.erasure import search
from promptsales.erasure.suppression import BUILD_LOCK, NOBODY, SHORTEST, STREAM_LOCK
from promptsales.errors import TerminalError, TransientError
from promptsales.feeds.staging import staging
from promptsales.names import identifier
from promptsales.specs.feed import ANY_ENTITY, REBUILD, Contract, contracts
from promptsales.specs.mart import Mart
from promptsales.specs.mart import tables as marts
from promptsales.specs.stream import StreamContract, stream_contracts

_ROW = sql.SQL("(t.*)")
_LOCK_TIMEOUT = "set local lock_timeout = '60s'"


class Erased(NamedTuple):
    """A row of an erased person as ``ops.suppression`` keeps it."""

    feed: str
    key: str
    email_hmac: bytes | None = None
    pii_kid: int | None = None
    row_changed_at: datetime | None = None


class Changed(NamedTuple):
    """What happened to a table."""

    table: str
    what: str
    rows: int


class Removal(NamedTuple):
    """What was done, and which tables were searched."""

    changes: list[Changed]
    tables: list[search.Table]


def _statement(name: str) -> bytes:
    return Path(__file__).with_name(f"{name}.sql").read_bytes()


def exclude_others(warehouse: psycopg.Connection) -> None:
    """Keep builds of marts, loads and the stream out until the transaction ends; in the order in which they lock.

    No load that has begun may publish, and staging is empty.

    Raises:
        TransientError: when one of them does not end within a minute; nothing was changed.
    """
    try:
        warehouse.execute(_LOCK_TIMEOUT)
        warehouse.execute("select pg_advisory_xact_lock(%s)", [BUILD_LOCK])
        warehouse.execute("update ops.feed set extraction = extraction + 1, fence = extraction + 1")
        for one in contracts().values():
            warehouse.execute(sql.SQL("truncate {}").format(staging(one)))
        warehouse.execute("select pg_advisory_xact_lock(%s)", [STREAM_LOCK])
        warehouse.execute("set local lock_timeout to default")
    except psycopg.errors.LockNotAvailable:
        raise TransientError(
            "erase a person: a build of marts or a load has been running for a minute and more, and would bring the "
            "person back; nothing was erased: try again when it has finished (`promptsales status` shows what runs)"
        ) from None


def suppress(warehouse: psycopg.Connection, erased: Iterable[Erased]) -> None:
    """Remember whose rows must stay out from now on."""
    rows: list[Erased] = sorted(erased, key=lambda row: (row.feed, row.key))
    with warehouse.cursor() as cursor:
        cursor.executemany(_statement("suppress"), rows)


def remove(
    warehouse: psycopg.Connection,
    ids: Collection[str],
    hashes: Collection[bytes],
    touch_more: Callable[[], None] = lambda: None,
) -> Removal:
    """Take a person out of every table, and touch the days that this changes.

    Args:
        warehouse: within the transaction, which `exclude_others` began.
        ids: ids of the person's rows, of whatever feed.
        hashes: keyed hashes that are the person's alone.
        touch_more: called when days are touched and nothing is removed yet.

    Raises:
        TerminalError: when a search finds anything left, or ids are too short to search for; the transaction must not
            commit.
    """
    if short := sum(len(key) < SHORTEST for key in ids):
        raise TerminalError(
            f"{short} rows of an erased person have ids of less than {SHORTEST} characters, which could be found by "
            "chance: remove those by hand, and put their feed and id into ops.suppression"
        )
    needles = search.needles(ids, hashes)
    tables = search.tables(warehouse)
    holding = [table for table, _ in search.holding(warehouse, tables, needles)]
    values: dict[str, str | list[str]] = {
        "ids": list(ids),
        "pattern": "|".join(map(re.escape, ids)),
        "hashes": search.needles((), hashes),
        "needles": needles,
        "nobody": NOBODY,
    }
    _touch(warehouse, {table.full_name for table in holding}, needles)
    touch_more()
    holding += [table for table in tables if table.full_name == "ops.touched" and table not in holding]
    changes = [change for table in holding for change in _clean(warehouse, table, values)]
    if left := [table.full_name for table, _ in search.holding(warehouse, tables, needles)]:
        raise TerminalError(f"the person is still in {', '.join(left)}; nothing was erased")
    for table in holding:
        # the planner's statistics keep samples of the values
        warehouse.execute(sql.SQL("analyze {}").format(table.identifier))
    return Removal(changes, tables)


def _touch(warehouse: psycopg.Connection, holding: set[str], needles: list[str]) -> None:
    """Have the marts rebuild the days of every row that goes or that names somebody else afterwards."""
    every: list[Contract | StreamContract] = [*contracts().values(), *stream_contracts().values()]
    for one in every:
        layer = one.folder.parent.name
        if one.touched and holding & {f"{layer}.{one.table}", f"{layer}.{one.table}_history"}:
            warehouse.execute(touch_rows(layer, one), {"feed": one.table, "needles": needles})
    for name, mart in marts().items():
        if f"marts.{name}" in holding:
            warehouse.execute(touch_mart(mart), {"mart": f"marts.{name}", "entity": REBUILD, "needles": needles})


def touch_mart(mart: Mart) -> sql.Composed:
    """Compose the statement that touches the periods of a mart's rows that name the person."""
    return sql.SQL(_TOUCH_MART).format(
        mart=sql.Identifier("marts", mart.mart), period=sql.Identifier(mart.period or ""), holds=_holds("needles")
    )


def touch_rows(layer: str, one: Contract | StreamContract) -> sql.Composed:
    """Compose the statement that touches the days of a table's rows that name the person, and of their history."""
    assert one.touched  # noqa: S101 -- asked before
    entities: list[sql.Composable] = [
        sql.SQL("{}::text").format(sql.Identifier("t", name)) for name in one.touched.entity
    ]
    history = sql.SQL(" or {0} in (select {0} from {1} t where {2})").format(
        sql.Identifier(one.key), sql.Identifier(layer, f"{one.table}_history"), _holds("needles")
    )
    return sql.SQL(_TOUCH).format(
        table=sql.Identifier(layer, one.table),
        entities=sql.SQL(", ").join(entities or [sql.Literal(ANY_ENTITY)]),
        days=sql.SQL(", ").join(sql.Identifier("t", name) for name in one.touched.day),
        holds=_holds("needles"),
        history=history if one.history else sql.SQL(""),
    )


# the entity may be the person: that is replaced with all the others
_TOUCH = """
    insert into ops.touched (core_table, entity_id, day)
    select distinct %(feed)s, e.entity, (d.moment at time zone 'UTC')::date
    from {table} t cross join unnest(array[{entities}]) e(entity) cross join unnest(array[{days}]) d(moment)
    where ({holds}{history}) and d.moment is not null and e.entity is not null
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
"""
_TOUCH_MART = """
    insert into ops.touched (core_table, entity_id, day)
    select distinct %(mart)s, %(entity)s, {period} from {mart} t
    where {holds}
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
"""


def _clean(warehouse: psycopg.Connection, table: search.Table, values: dict[str, str | list[str]]) -> Iterator[Changed]:
    """Take the person out of one table, whatever it is."""
    for what, statement in _statements(table):
        rows = warehouse.execute(statement, values).rowcount
        if rows:
            yield Changed(table.full_name, what, rows)


def _holds(texts: str, where: sql.Composable = _ROW) -> sql.Composed:
    return sql.SQL(
        "exists (select from unnest({}::text[]) needle where position(needle in lower({}::text)) > 0)"
    ).format(sql.Placeholder(texts), where)


def _statements(table: search.Table) -> Iterator[tuple[str, sql.Composed | bytes]]:
    """A row that is the person's goes; where another's row names them, nobody is named instead."""
    if table.full_name in _APPEND_ONLY:
        yield "deleted", sql.SQL("select from ops.forget_erased({})").format(sql.Literal(table.name))
        return
    yield from _OWN.get(table.full_name, tuple)()
    delete = sql.SQL("delete from {} t where {}")
    if table.unique_columns:
        unique = sql.SQL("row({})").format(sql.SQL(", ").join(identifier("t", name) for name in table.unique_columns))
        yield "deleted", delete.format(table.identifier, _holds("needles", unique))
    # marts follow some tables by when a row was loaded
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


# what is left of a quarantined row of an erased person: that there was one, and which rules it broke
_CLOSE_QUARANTINE = """
    update ops.quarantine q
    set key = 'erased', payload = '{}', is_waived = false, released_at = coalesce(released_at, clock_timestamp()),
        release_reason = coalesce(release_reason, 'suppressed')
    where """


def _touched_days() -> Iterator[tuple[str, sql.Composed | bytes]]:
    """Days that wait to be built stay touched, under nobody; when a build may already have passed them, once more."""
    yield "entity_id replaced", _statement("erase_in_touched")


# whoever loads may delete there what names an erased person, and nothing else
_APPEND_ONLY = ("ops.restatement", "ops.reread")
_OWN: dict[str, Callable[[], Iterable[tuple[str, sql.Composed | bytes]]]] = {
    "ops.quarantine": _quarantined,
    "ops.touched": _touched_days,
}
