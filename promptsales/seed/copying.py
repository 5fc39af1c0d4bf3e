"""Write rows to PostgreSQL with COPY, which is fast and keeps values out of statement texts and parameters."""

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
from promptsales.settings import Settings
from promptsales.targets import PublicName

Say = Callable[[str], None]
Row = tuple[Any, ...]  # a NamedTuple whose field names are the column names

_BATCH = 20_000  # rows per COPY; progress is reported after each


class Tally:
    """Counts of the rows written per table; reports each change."""

    def __init__(self, say: Say) -> None:
        self.counts: Counter[str] = Counter()
        self._say = say

    def add(self, table: str, rows: int) -> None:
        """Add rows that were written to a table."""
        self.counts[table] += rows
        self._say(f"{table} {self.counts[table]:,}")

    def merge(self, tally: "Tally") -> None:
        """Add the counts of another tally."""
        for table, rows in tally.counts.items():
            self.add(table, rows)


@cache
def statement(name: str) -> bytes:
    """Return the text of one of the ``.sql`` files of this package."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_bytes()


@contextmanager
def system_to_fill(settings: Settings, name: PublicName, table: str) -> Iterator[psycopg.Connection | None]:
    """Open a transaction that fills a whole system; yield None when ``table`` already holds rows.

    A concurrent seed waits for the lock and then finds the rows.

    Raises:
        TransientError: when the system cannot be reached.
        TerminalError: when the system rejects a statement, for instance because its schema is not provisioned.
    """
    with (
        connected(settings, name) as connection,
        driver_errors(f"seed {table.split('.')[0]}"),
        connection.transaction(),
    ):
        relation = sql.Identifier(*table.split("."))
        connection.execute(sql.SQL("lock table {} in share row exclusive mode").format(relation))
        row = connection.execute(sql.SQL("select from {} limit 1").format(relation)).fetchone()
        yield connection if row is None else None


def copy_rows(connection: psycopg.Connection, table: str, rows: Iterable[Row], tally: Tally | None = None) -> None:
    """COPY rows into ``table``, which is ``schema.table`` or in the search path."""
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        with connection.cursor() as cursor, cursor.copy(_copy_in(table, type(batch[0]))) as copy:
            for row in batch:
                copy.write_row(row)
        if tally:
            tally.add(table, len(batch))


def _copy_in(table: str, row: type[Row]) -> sql.Composed:
    fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined] # every row is a NamedTuple
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in fields)
    return sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(*table.split(".")), columns)
