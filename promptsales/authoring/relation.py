"""A live table, as far as a contract needs to know it."""

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
    """A column of the table; ``allowed`` is the text of a check constraint that lists its values."""

    name: str
    type: str
    is_required: bool
    comment: str | None
    is_key: bool
    allowed: str | None
    is_indexed: bool

    @property
    def values(self) -> tuple[str, ...]:
        """The values a check constraint lists, none when there is no such constraint."""
        found = re.findall(r"'((?:[^']|'')*)'::", self.allowed or "")
        return tuple(text.replace("''", "'") for text in found)

    @property
    def plain(self) -> str:
        """Its name as core would have it."""
        return to_plain(self.name)


@dataclass(frozen=True)
class LiveTable:
    """A table of a source."""

    system: str
    relation: str
    comment: str | None
    has_trigger: bool
    columns: tuple[SourceColumn, ...]

    @cached_property
    def name(self) -> str:
        """The name that the core table has: its own without the schema, as the warehouse writes names."""
        return to_plain(self.relation.split(".", 1)[1], MOST_OF_TABLE)

    @cached_property
    def key(self) -> SourceColumn:
        """Its primary key.

        Raises:
            ConfigError: when it has none, or one of several columns.
        """
        found = [column for column in self.columns if column.is_key]
        if not found:
            raise ConfigError(f"{self.relation} has no primary key of one column: a feed needs one to know its rows by")
        return found[0]

    @cached_property
    def cursor(self) -> SourceColumn:
        """The column that moves when a row changes.

        Raises:
            ConfigError: when no column is called like one and holds a time.
        """
        names = {column.plain: column for column in self.columns if column.type.startswith("timestamp")}
        found = [names[name] for name in CURSORS if name in names]
        if not found:
            raise ConfigError(
                f"{self.relation} has no cursor: a time that moves with each change, called {' or '.join(CURSORS)}; "
                "add one with a trigger that sets it"
            )
        return found[0]


_TABLE = Path(__file__).with_name("table.sql").read_bytes()


def read_table(source: psycopg.Connection, system: str, relation: str) -> LiveTable | None:
    """Read a table from its database's catalogue; None when there is no such table."""
    found = source.execute(_TABLE, [relation]).fetchone()
    if found is None:
        return None
    with source.cursor(row_factory=class_row(SourceColumn)) as cursor:
        columns = cursor.execute((SQL / "columns.sql").read_bytes(), [relation]).fetchall()
    return LiveTable(system, relation, found[0], found[1], tuple(columns))
