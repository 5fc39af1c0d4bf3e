"""Find settings of the applications' roles that change what they write, and that the pipeline's sessions cannot fix."""

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

# the names of UTC in the time zone database, in lower case; PostgreSQL ignores case
_UTC = frozenset(
    f"{area}{name}"
    for area in ("", "etc/")
    for name in ("utc", "uct", "gmt", "gmt0", "gmt+0", "gmt-0", "greenwich", "universal", "zulu")
)
_NAIVE = (Path(__file__).parent / "sql" / "naive_columns.sql").read_bytes()


class Override(NamedTuple):
    """A setting of a role, or of all roles (None), for sessions in this database or in all databases."""

    role: str | None
    is_of_database: bool
    value: str

    def compose_fix(self, database: str, clause: str) -> str:
        """Return the statement that changes the setting by a clause such as ``reset timezone``."""
        where = f"database {sql.Identifier(database).as_string()}"
        if not self.role:
            return f"`alter {where if self.is_of_database else 'role all'} {clause}`"
        role = f"role {sql.Identifier(self.role).as_string()}"
        return f"`alter {f'{role} in {where}' if self.is_of_database else role} {clause}`"


def read_overrides(connection: psycopg.Connection, setting: str, relations: Collection[str]) -> list[Override]:
    """Return the overrides of a setting by the roles that may write one of these tables."""
    query = (Path(__file__).parent / "sql" / "overrides.sql").read_bytes()
    with connection.cursor(row_factory=class_row(Override)) as cursor:
        return cursor.execute(query, {"setting": setting, "relations": list(relations)}).fetchall()


def is_utc(zone: str | None) -> bool:
    """Return whether a time zone is UTC, by one of its names."""
    return zone is not None and zone.lower() in _UTC


def find_other_zones(connection: psycopg.Connection, database: Database) -> Iterator[str]:
    """Yield a warning for each role that writes naive times in a zone other than UTC, as which they are read."""
    naive = read_naive_columns(connection, database)
    columns = ", ".join(f"{relation}.{name}" for relation, names in naive.items() for name in names)
    for override in read_overrides(connection, "timezone", naive) if naive else ():
        if override.role and not is_utc(override.value):
            fix = override.compose_fix(connection.info.dbname, "set timezone = 'UTC'")
            yield (
                f"role {override.role} has timezone = {override.value}, so it writes local times, such as a default of "
                f"now(), into columns that are read as UTC: {columns}; run {fix}"
            )


def read_naive_columns(connection: psycopg.Connection, database: Database) -> Mapping[str, list[str]]:
    """Return the columns of type ``timestamp`` that contracts read, by relation."""
    feeds = _contracts_of(database)
    relations = [feed.source.relation for feed in feeds for _ in feed.origins]
    origins = [origin for feed in feeds for origin in feed.origins]
    return dict(connection.execute(_NAIVE, [relations, origins]).fetchall())


def _contracts_of(database: Database) -> list[Contract | StreamContract]:
    """Return the contracts that read tables of a database."""
    polled = [feed for feed in contracts().values() if feed.path == "poll" and feed.source.system == database]
    return [*polled, *(table for table in stream_contracts().values() if DATABASES[table.source.system] == database)]


def find_bypassed_triggers(connection: psycopg.Connection, database: Database) -> Iterator[str]:
    """Yield a warning for each role whose ``session_replication_role`` keeps triggers from firing.

    Raises:
        ConfigError: in the warehouse, where triggers keep erased persons out.
    """
    relations = {contract.source.relation for contract in _contracts_of(database)} or {"ops.feed"}
    for override in read_overrides(connection, "session_replication_role", relations):
        if override.value == "origin":
            continue
        who = f"role {override.role}" if override.role else "every role"
        text = (
            f"{who} has session_replication_role = {override.value} in {database}, so its writes fire no trigger; run "
            f"{override.compose_fix(connection.info.dbname, 'reset session_replication_role')}"
        )
        if database == "warehouse":
            raise ConfigError(text)
        yield f"{text}, or its changes do not set updated_at and only a reconciliation finds them"
