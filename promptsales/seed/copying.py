"""Rows into PostgreSQL by COPY: fast, and no value ever stands in a statement's text or parameters."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from promptsales.connections import connected
from promptsales.errors import driver_errors
from promptsales.settings import PublicName, Settings

Say = Callable[[str], None]
Row = tuple[Any, ...]  # a NamedTuple whose fields are called like the columns

_BATCH = 20_000  # rows a COPY: how often progress is told


class Tally:
    """Rows written per table, told to whoever shows progress."""

    def __init__(self, say: Say) -> None:
        self.counts: Counter[str] = Counter()
        self._say = say

    def add(self, table: str, rows: int) -> None:
        """Count rows just written."""
        self.counts[table] += rows
        self._say(f"{table} {self.counts[table]:,}")

    def merge(self, other: "Tally") -> None:
        """Count what another tally counted."""
        for table, rows in other.counts.items():
            self.add(table, rows)


@cache
def statement(name: str) -> bytes:
    """The text of one of the ``.sql`` files beside this module."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_bytes()


@contextmanager
def system_to_fill(settings: Settings, name: PublicName, table: str) -> Iterator[psycopg.Connection | None]:
    """One transaction that fills a whole system, or None when ``table`` holds rows already.

    A second seed that runs at the same time waits at the lock, then finds the rows.

    Raises:
        TransientError: when the system cannot be reached.
        TerminalError: when the system refuses, for instance because its schema is not provisioned.
    """
    with (
        connected(settings, name) as connection,
        driver_errors(f"seed {table.split('.')[0]}"),
        connection.transaction(),
    ):
        relation = sql.Identifier(*table.split("."))
        connection.execute(sql.SQL("lock table {} in share row exclusive mode").format(relation))
        found = connection.execute(sql.SQL("select from {} limit 1").format(relation)).fetchone()
        yield connection if found is None else None


def copy_rows(connection: psycopg.Connection, table: str, rows: Iterable[Row], tally: Tally | None = None) -> None:
    """COPY rows into ``table`` (as ``schema.table`` or found by the search path)."""
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        with connection.cursor() as cursor, cursor.copy(_copy_in(table, type(batch[0]))) as copy:
            for row in batch:
                copy.write_row(row)
        if tally:
            tally.add(table, len(batch))


def _copy_in(table: str, row: type[Row]) -> sql.Composed:
    fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined] # every row is a NamedTuple
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in fields)
    return sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(*table.split(".")), columns)
