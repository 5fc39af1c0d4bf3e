"""Settings of those who write: they decide what gets into a table, and no session of ours can set them right."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from promptsales.errors import ConfigError
from promptsales.provision.lines import Database
from promptsales.provision.publications import DATABASES
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.stream import StreamContract, stream_contracts

# what the time zone database calls UTC, and PostgreSQL takes in any case
_UTC = frozenset(
    f"{area}{name}"
    for area in ("", "etc/")
    for name in ("utc", "uct", "gmt", "gmt0", "gmt+0", "gmt-0", "greenwich", "universal", "zulu")
)
_NAIVE = (Path(__file__).parent / "sql" / "naive_columns.sql").read_bytes()


class Override(NamedTuple):
    """A setting of a role (of every role, then None) for its sessions in a database, or in all."""

    role: str | None
    is_of_database: bool
    value: str

    def undone(self, database: str, clause: str) -> str:
        """Return the statement that changes it: ``reset`` or ``set`` and the setting."""
        where = f"database {sql.Identifier(database).as_string()}"
        if not self.role:
            return f"`alter {where if self.is_of_database else 'role all'} {clause}`"
        role = f"role {sql.Identifier(self.role).as_string()}"
        return f"`alter {f'{role} in {where}' if self.is_of_database else role} {clause}`"


def overrides(connection: psycopg.Connection, setting: str, relations: Collection[str]) -> list[Override]:
    """Return what those who may write one of some tables have set for their sessions in this database."""
    query = (Path(__file__).parent / "sql" / "overrides.sql").read_bytes()
    with connection.cursor(row_factory=class_row(Override)) as cursor:
        return cursor.execute(query, {"setting": setting, "relations": list(relations)}).fetchall()


def is_utc(zone: str | None) -> bool:
    """Return whether a time zone is UTC, by one of its names."""
    return zone is not None and zone.lower() in _UTC


def other_zones(connection: psycopg.Connection, database: Database) -> Iterator[str]:
    """Return which roles write times without a zone in another zone than UTC, as which they are read."""
    naive = naive_columns(connection, database)
    columns = ", ".join(f"{relation}.{name}" for relation, names in naive.items() for name in names)
    for found in overrides(connection, "timezone", naive) if naive else ():
        if found.role and not is_utc(found.value):
            todo = found.undone(connection.info.dbname, "set timezone = 'UTC'")
            yield (
                f"role {found.role} has timezone = {found.value}, so local times, as by a default of now(), get into "
                f"columns that are read as UTC: {columns}; run {todo}"
            )


def naive_columns(connection: psycopg.Connection, database: Database) -> Mapping[str, list[str]]:
    """Return by relation the columns of type ``timestamp`` that a contract reads."""
    named = [(feed.source.relation, origin) for feed in _read(database) for origin in feed.origins]
    return dict(connection.execute(_NAIVE, [[one for one, _ in named], [one for _, one in named]]).fetchall())


def _read(database: Database) -> list[Contract | StreamContract]:
    """Every contract that reads tables of a database."""
    polled = [one for one in contracts().values() if one.path == "poll" and one.source.system == database]
    return [*polled, *(one for one in stream_contracts().values() if DATABASES[one.source.system] == database)]


def bypassed_triggers(connection: psycopg.Connection, database: Database) -> Iterator[str]:
    """Return who writes without firing triggers: ``session_replication_role`` is no session's own to set.

    Raises:
        ConfigError: in the warehouse, whose triggers keep erased persons out.
    """
    relations = {one.source.relation for one in _read(database)} or {"ops.feed"}
    for found in overrides(connection, "session_replication_role", relations):
        if found.value == "origin":
            continue
        text = (
            f"{f'role {found.role}' if found.role else 'every role'} has session_replication_role = {found.value} in "
            f"{database}, so what it writes fires no trigger; run "
            f"{found.undone(connection.info.dbname, 'reset session_replication_role')}"
        )
        if database == "warehouse":
            raise ConfigError(text)
        yield f"{text}, else its changes leave updated_at alone and are found by a reconciliation only"
