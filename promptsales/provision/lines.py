"""List the lines of migrations: a line is the ``.sql`` files of a folder, each applied once, in the order of numbers.

The sources have ``schemas/sql/<system>/NNNN_name.sql``. The warehouse has ``schemas.sql`` and a folder for each table,
with ``table.sql`` (``view.sql`` for a view) as the first file and numbered files after it.
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

# the lines of each source database and the roles they run as; the owners of schema etl cannot log in, so its line runs
# as the administrator
_SOURCES: dict[Database, dict[str, str | None]] = {
    "promptsales": {"promptsales": "promptsales_owner", "promptads": "promptads_owner", "etl": None},
    "promptcrm": {"promptcrm": "promptcrm_owner", "etl": None},
}
_LAYERS = ("ops", "core", "realtime", "marts")
# folders that were renamed: databases record their files under the line's first name
_FIRST_NAMES = {"realtime_live_leads": "realtime_lead", "realtime_live_opportunities": "realtime_opportunity"}
_FIRST = {"schemas.sql", "table.sql", "view.sql"}
_NUMBERED = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True)
class Migration:
    """A file of a line; its number is its revision."""

    number: str
    path: Path

    @property
    def name(self) -> str:
        """The path of the file in the repository."""
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else str(self.path)

    @cached_property
    def text(self) -> bytes:
        """The content of the file."""
        return self.path.read_bytes()

    @cached_property
    def checksum(self) -> str:
        """The checksum that detects a change of an applied file."""
        return sha256(self.text).hexdigest()


@dataclass(frozen=True)
class Line:
    """The migrations of a folder in order, and the role they run as; None runs them as the administrator."""

    database: Database
    name: str
    owner: str | None
    migrations: tuple[Migration, ...]

    @property
    def is_of_application(self) -> bool:
        """Whether an application owns what the line changes, and logs in as its owner."""
        return self.database != "warehouse" and self.owner is not None


def list_lines(database: Database) -> tuple[Line, ...]:
    """Return the lines of a database, in the order in which they are applied.

    Raises:
        ConfigError: when a file has no number, or two files have the same.
    """
    if database == "warehouse":
        folders = [path.parent for layer in _LAYERS for path in sorted(_tables(layer), key=_views_last)]
        names = {ROOT / "warehouse": "schemas"} | {folder: _name(folder) for folder in folders}
        return tuple(read_line(database, name, "warehouse_owner", folder) for folder, name in names.items())
    folder = ROOT / "schemas" / "sql"
    return tuple(read_line(database, name, owner, folder / name) for name, owner in _SOURCES[database].items())


def _name(folder: Path) -> str:
    name = "_".join(folder.parts[-2:])
    return _FIRST_NAMES.get(name, name)


def _tables(layer: str) -> list[Path]:
    return [path for path in (ROOT / "warehouse" / layer).glob("*/*.sql") if path.name in _FIRST]


def _views_last(path: Path) -> tuple[bool, Path]:
    """Return a sort key that puts views last, because a view may read any table of its layer."""
    return path.name == "view.sql", path


def read_line(database: Database, name: str, owner: str | None, folder: Path) -> Line:
    """Return the line of a folder.

    Raises:
        ConfigError: when a file has no number, or two files have the same.
    """
    migrations: dict[str, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        if (number := _number(path)) in migrations:
            raise ConfigError(
                f"{path} and {migrations[number].path.name} have the same number; give one of them the next number"
            )
        if number:
            migrations[number] = Migration(number, path)
    return Line(database, name, owner, tuple(migrations[number] for number in sorted(migrations)))


def _number(path: Path) -> str:
    """Return a file's number in its line; '' for a file that is not a migration, such as a query beside its table."""
    if path.name in _FIRST:
        return "0001"
    if match := _NUMBERED.fullmatch(path.name):
        return match[1]
    if path.name[0].isdigit():
        raise ConfigError(f"{path}: not the name of a migration; rename it to NNNN_what_it_does.sql, in lower case")
    return ""
