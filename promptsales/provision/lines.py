"""Lines of migrations: the ``.sql`` files of one folder, applied in the order of their numbers, each once.

``schemas/sql/<system>/NNNN_name.sql`` for the sources; in the warehouse ``schemas.sql`` and one folder a table, where
``table.sql`` (``view.sql`` for a view) comes first and numbered files follow.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal

from promptsales.errors import ConfigError
from promptsales.settings import ROOT

Database = Literal["promptsales", "promptcrm", "warehouse"]

# which lines a source database has, and as whom each runs; the schema etl belongs to roles nobody logs in with, so an
# administrator makes it
_SOURCES: dict[Database, dict[str, str | None]] = {
    "promptsales": {"promptsales": "promptsales_owner", "promptads": "promptads_owner", "etl": None},
    "promptcrm": {"promptcrm": "promptcrm_owner", "etl": None},
}
_LAYERS = ("ops", "core", "realtime", "marts")
_FIRST = {"schemas.sql", "table.sql", "view.sql"}
_NUMBERED = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True)
class Migration:
    """One file of a line; its number is its revision."""

    number: str
    path: Path

    @property
    def name(self) -> str:
        """The file, as people call it."""
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else str(self.path)

    @cached_property
    def text(self) -> bytes:
        """What it says."""
        return self.path.read_bytes()

    @cached_property
    def checksum(self) -> str:
        """Tells a changed file from the applied one."""
        return sha256(self.text).hexdigest()


@dataclass(frozen=True)
class Line:
    """A folder's migrations in order, and the role they run as; None: as whoever provisions."""

    database: Database
    name: str
    owner: str | None
    migrations: tuple[Migration, ...]


def lines(database: Database) -> tuple[Line, ...]:
    """The lines of a database, in the order they are applied.

    Raises:
        ConfigError: for a file whose name gives no place in the order, or the same as another.
    """
    if database == "warehouse":
        folders = [path.parent for layer in _LAYERS for path in sorted(_tables(layer), key=_views_last)]
        names = {folder: "_".join(folder.parts[-2:]) for folder in folders}
        found = {ROOT / "warehouse": "schemas", **names}
        return tuple(line(database, name, "warehouse_owner", folder) for folder, name in found.items())
    folder = ROOT / "schemas" / "sql"
    return tuple(line(database, name, owner, folder / name) for name, owner in _SOURCES[database].items())


def _tables(layer: str) -> list[Path]:
    return [path for path in (ROOT / "warehouse" / layer).glob("*/*.sql") if path.name in _FIRST]


def _views_last(path: Path) -> tuple[bool, Path]:
    """A view may read any table of its layer."""
    return path.name == "view.sql", path


def line(database: Database, name: str, owner: str | None, folder: Path) -> Line:
    """The line of one folder.

    Raises:
        ConfigError: for a file whose name gives no place in the order, or the same as another.
    """
    found: dict[str, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        if (number := _number(path)) in found:
            raise ConfigError(f"{path} and {found[number].path.name} claim the same place: give one the next number")
        if number:
            found[number] = Migration(number, path)
    return Line(database, name, owner, tuple(found[number] for number in sorted(found)))


def _number(path: Path) -> str:
    """A file's place in its line; '' for one that is no migration (a query beside its table)."""
    if path.name in _FIRST:
        return "0001"
    if match := _NUMBERED.fullmatch(path.name):
        return match[1]
    if path.name[0].isdigit():
        raise ConfigError(f"{path}: a migration is named NNNN_what_it_does.sql, four digits and lower case")
    return ""
