"""Read what a contract needs to know of a live table."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg.rows import class_row

from promptsales.errors import ConfigError
from promptsales.names import MOST_OF_TABLE, to_plain

SQL = Path(__file__).parent
CURSORS = ("updated_at", "modified_at", "last_modified_at", "changed_at")


@dataclass(frozen=True)
class SourceColumn:
    """A column of a source table; ``allowed`` is the text of a check constraint that lists its values."""

    name: str
    type: str
    is_required: bool
    comment: str | None
    is_key: bool
    allowed: str | None
    is_indexed: bool

    @property
    def values(self) -> tuple[str, ...]:
        """The values that a check constraint lists; empty if there is no such constraint."""
        literals = re.findall(r"'((?:[^']|'')*)'::", self.allowed or "")
        return tuple(text.replace("''", "'") for text in literals)

    @property
    def plain(self) -> str:
        """The column's name in the warehouse's spelling."""
        return to_plain(self.name)


@dataclass(frozen=True)
class LiveTable:
    """A table of a source database."""

    system: str
    relation: str
    comment: str | None
    has_trigger: bool
    columns: tuple[SourceColumn, ...]

    @cached_property
    def name(self) -> str:
        """The name of the core table: the table's name without its schema, in the warehouse's spelling."""
        return to_plain(self.relation.split(".", 1)[1], MOST_OF_TABLE)

    @cached_property
    def key(self) -> SourceColumn:
        """The column of the primary key.

        Raises:
            ConfigError: when there is no primary key, or it has several columns.
        """
        key = next((column for column in self.columns if column.is_key), None)
        if key is None:
            raise ConfigError(
                f"{self.relation} has no primary key of one column, by which a feed identifies rows; add one at the "
                "source"
            )
        return key

    @cached_property
    def cursor(self) -> SourceColumn:
        """The column that holds the time of the last change of a row.

        Raises:
            ConfigError: when no timestamp column has one of the names in `CURSORS`.
        """
        names = {column.plain: column for column in self.columns if column.type.startswith("timestamp")}
        cursor = next((names[name] for name in CURSORS if name in names), None)
        if cursor is None:
            raise ConfigError(
                f"{self.relation} has no cursor, a timestamp of the last change called {' or '.join(CURSORS)}; "
                "add one with a trigger that sets it"
            )
        return cursor


_TABLE = Path(__file__).with_name("table.sql").read_bytes()


def read_table(source: psycopg.Connection, system: str, relation: str) -> LiveTable | None:
    """Read a table from its database's catalogue; return None if there is no such table."""
    row = source.execute(_TABLE, [relation]).fetchone()
    if row is None:
        return None
    comment, has_trigger = row
    with source.cursor(row_factory=class_row(SourceColumn)) as cursor:
        columns = cursor.execute((SQL / "columns.sql").read_bytes(), [relation]).fetchall()
    return LiveTable(system, relation, comment, has_trigger, tuple(columns))
