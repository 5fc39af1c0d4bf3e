"""Search every column of every table of the warehouse for texts; the catalogue lists the tables, so none is missed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from promptsales.names import identifier

# not searched, because it records whose rows must stay out
EXCEPT = ("ops.suppression",)


class SearchedTable(NamedTuple):
    """A table, its unique columns, the columns that may hold an id, and whether it has ``_loaded_at``."""

    schema: str
    name: str
    columns: int
    unique_columns: list[str]
    id_columns: list[str]
    is_stamped: bool

    @property
    def full_name(self) -> str:
        """The table's name with its schema."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Composable:
        """The table's quoted name."""
        return identifier(self.schema, self.name)


_TABLES = Path(__file__).with_name("tables.sql").read_bytes()
# the text of a row shows bytea as hex digits, so an id inside a message is searched in that form too
_COUNT = sql.SQL("""
    select count(*) from {table} t
    where exists (select from unnest(%s::text[]) needle where position(needle in lower((t.*)::text)) > 0)
""")


def make_needles(ids: Iterable[str], hashes: Iterable[bytes]) -> list[str]:
    """Return the texts to search for: ids and hashes as text, and the hex digits of both."""
    texts = [name.lower() for name in ids] + [digest.hex() for digest in hashes]
    return sorted({*texts, *(text.encode().hex() for text in texts)})


def list_tables(warehouse: psycopg.Connection) -> list[SearchedTable]:
    """Return the tables and materialised views of the warehouse that the session may read, without `EXCEPT`."""
    with warehouse.cursor(row_factory=class_row(SearchedTable)) as cursor:
        return cursor.execute(_TABLES, [list(EXCEPT)]).fetchall()


def find_holding(
    warehouse: psycopg.Connection, tables: Sequence[SearchedTable], texts: list[str]
) -> Iterator[tuple[SearchedTable, int]]:
    """Yield the tables that contain one of the texts in any column, and in how many rows."""
    for table in tables:
        row = warehouse.execute(_COUNT.format(table=table.identifier), [texts]).fetchone()
        if row and row[0]:
            yield table, row[0]
