"""Looking for texts in every column of every table of the warehouse, by its catalogue: no table can be forgotten."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from promptsales.names import identifier

# what is kept on purpose: it says who must stay out
EXCEPT = ("ops.suppression",)


class Table(NamedTuple):
    """A table, its columns that make rows unique, those that may hold an id, and whether it says when it was loaded."""

    schema: str
    name: str
    columns: int
    unique_columns: list[str]
    id_columns: list[str]
    is_stamped: bool

    @property
    def full_name(self) -> str:
        """With its schema."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Composable:
        """As a statement names it."""
        return identifier(self.schema, self.name)


_TABLES = Path(__file__).with_name("tables.sql").read_bytes()
# a row's text has its bytes as hex digits, so an id inside a message is looked for in that form too
_COUNT = sql.SQL("""
    select count(*) from {table} t
    where exists (select from unnest(%s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
""")


def needles(ids: Iterable[str], hashes: Iterable[bytes]) -> list[str]:
    """What to look for: ids and hashes as text, and both as they look inside bytes."""
    texts = [name.lower() for name in ids] + [digest.hex() for digest in hashes]
    return sorted({*texts, *(text.encode().hex() for text in texts)})


def tables(warehouse: psycopg.Connection) -> list[Table]:
    """Every table and materialised view of the warehouse that the session may read, but `EXCEPT`."""
    with warehouse.cursor(row_factory=class_row(Table)) as cursor:
        return cursor.execute(_TABLES, [list(EXCEPT)]).fetchall()


def holding(warehouse: psycopg.Connection, among: Sequence[Table], texts: list[str]) -> Iterator[tuple[Table, int]]:
    """The tables that hold one of the texts in any column, and in how many rows."""
    for table in among:
        row = warehouse.execute(_COUNT.format(table=table.identifier), [texts]).fetchone()
        if row and row[0]:
            yield table, row[0]
