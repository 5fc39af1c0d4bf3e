"""A person erased: removed from every table, kept out from now on, and searched for.

All of it is one transaction, which starts by fencing every load off: a load that has rows of the person in hand cannot
publish them afterwards.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from psycopg import sql

from promptsales.contracts import ANY_ENTITY, contracts
from promptsales.errors import TerminalError, TransientError
from promptsales.load.statements import core, staging
from promptsales.load.suppression import CLOSE_QUARANTINE, NOBODY
from promptsales.privacy import search
from promptsales.privacy.person import Person, find


class Changed(NamedTuple):
    """What happened to a table."""

    table: str
    what: str
    rows: int


class Report(NamedTuple):
    """What was done, and what the search at the end looked at and found."""

    changes: list[Changed]
    tables: int
    columns: int
    needles: int
    left: int


def erase(warehouse: psycopg.Connection, person: Person) -> Report:
    """Remove what `find` found, keep it out from now on, and search every table for what may be left.

    Raises:
        TransientError: when the person has other rows by now than were listed; nothing was erased.
        TerminalError: when the search finds something; nothing was erased.
    """
    with warehouse.transaction():
        _fence_off(warehouse)
        again = find(warehouse, person.asked, person.feed, person.follow_phone)
        if again.keys != person.keys or again.hashes != person.hashes:
            raise TransientError("the person has other rows now than were listed; nothing was erased, look again")
        _suppress(warehouse, person)
        _touch(warehouse, person)
        tables = search.tables(warehouse)
        found = [table for table, _ in search.holding(warehouse, tables, person.needles)]
        changes = [change for table in found for change in _clean(warehouse, table, person)]
        left = {table.full_name: rows for table, rows in search.holding(warehouse, tables, person.needles)}
        if left:
            raise TerminalError(f"the person is still in {', '.join(left)}; nothing was erased")
        for table in found:
            # the planner's statistics keep samples of the values
            warehouse.execute(sql.SQL("analyze {}").format(table.identifier))
    return Report(changes, len(tables), sum(table.columns for table in tables), len(person.needles), sum(left.values()))


def _fence_off(warehouse: psycopg.Connection) -> None:
    """No load that has begun may publish, and staging is empty; in the order in which a load locks."""
    warehouse.execute("update ops.feed set extraction = extraction + 1, fence = extraction + 1")
    for one in contracts().values():
        warehouse.execute(sql.SQL("truncate {}").format(staging(one)))


def _suppress(warehouse: psycopg.Connection, person: Person) -> None:
    """Remember feed, id and hash of each row; what core shows counts before what waits in quarantine."""
    known = {(row.feed, row.key): row for row in sorted(person.rows, key=lambda row: row.place, reverse=True)}
    for feed, key in sorted(person.keys):
        row = known.get((feed, key))
        warehouse.execute(
            "insert into ops.suppression (feed, key, person_hmac, pii_kid, row_changed_at) values (%s, %s, %s, %s, %s) "
            "on conflict (feed, key) do nothing",
            [feed, key, *((row.email_hmac, row.pii_kid, row.row_changed_at) if row else (None, None, None))],
        )


def _touch(warehouse: psycopg.Connection, person: Person) -> None:
    """Have the marts rebuild the days of the rows that go, without saying whose days they are."""
    for one in contracts().values():
        if one.touched and (keys := [key for feed, key in person.keys if feed == one.table]):
            query = sql.SQL(_TOUCH).format(
                core=core(one),
                key=sql.Identifier(one.key),
                entity=sql.Identifier(one.touched.entity) if one.touched.entity else sql.Literal(ANY_ENTITY),
                days=sql.SQL(", ").join(map(sql.Identifier, one.touched.day)),
            )
            warehouse.execute(query, {"feed": one.table, "nobody": NOBODY, "keys": keys})


_TOUCH = """
    insert into ops.touched (core_table, entity_id, day)
    select distinct %(feed)s, case when {entity}::text = {key}::text then %(nobody)s else {entity}::text end,
           (moment at time zone 'UTC')::date
    from {core} cross join unnest(array[{days}]) moment
    where {key}::text = any(%(keys)s) and moment is not null and {entity} is not null
    on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
"""


def _clean(warehouse: psycopg.Connection, table: search.Table, person: Person) -> Iterator[Changed]:
    """Take the person out of one table, whatever it is."""
    ids = [key for _, key in person.keys]
    values = {
        "ids": ids,
        "pattern": "|".join(map(re.escape, ids)),
        "hashes": search.needles((), person.hashes),
        "needles": person.needles,
        "nobody": NOBODY,
    }
    for what, statement in _statements(table):
        rows = warehouse.execute(statement, values).rowcount
        if rows:
            yield Changed(table.full_name, what, rows)


def _holds(texts: str, where: sql.Composable) -> sql.Composed:
    return sql.SQL(
        "exists (select from unnest({}::text[]) needle where position(needle in lower({}::text)) > 0)"
    ).format(sql.Placeholder(texts), where)


def _statements(table: search.Table) -> Iterator[tuple[str, sql.Composed]]:
    """A row that is the person's goes; where another's row names them, nobody is named instead."""
    if table.full_name == "ops.quarantine":
        mine = sql.SQL("(q.key = any(%(ids)s) or {})").format(_holds("hashes", sql.SQL("q.payload")))
        yield "closed and emptied", sql.SQL("{}{}").format(sql.SQL(CLOSE_QUARANTINE), mine)
        yield "id replaced", sql.SQL(_IN_PAYLOAD).format()
    delete = sql.SQL("delete from {} t where {}")
    if table.unique_columns:
        unique = sql.SQL("row({})").format(sql.SQL(", ").join(map(sql.Identifier, table.unique_columns)))
        yield "deleted", delete.format(table.identifier, _holds("needles", unique))
    replace = sql.SQL("update {table} set {column} = %(nobody)s where {column}::text = any(%(ids)s)")
    for column in table.id_columns:
        yield f"{column} replaced", replace.format(table=table.identifier, column=sql.Identifier(column))
    for texts in ("hashes", "needles"):
        yield "deleted", delete.format(table.identifier, _holds(texts, sql.SQL("t")))


_IN_PAYLOAD = """
    update ops.quarantine set payload = regexp_replace(payload::text, %(pattern)s, %(nobody)s, 'g')::jsonb
    where payload::text ~ %(pattern)s
"""
