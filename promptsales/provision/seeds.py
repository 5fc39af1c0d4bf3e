"""Fill the tables that no source feeds from ``seed.csv`` beside their ``table.sql``."""

from pathlib import Path

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.provision.changes import ProvisionChange
from promptsales.specs.feed import CORE

# unchanged rows are not written
_DELETE = "delete from {table} t where not exists (select from wanted w where w is not distinct from t)"
_INSERT = (
    "insert into {table} select * from wanted w where not exists (select from {table} t where w is not distinct from t)"
)


def provision_seeds(connection: psycopg.Connection, folder: Path = CORE) -> list[ProvisionChange]:
    """Update every seeded table to match its file, in the caller's transaction.

    Raises:
        ConfigError: when a file does not fit its table; nothing was changed.
    """
    changes = []
    for path in sorted(folder.glob("*/seed.csv")):
        if rows := _update(connection, path):
            changes.append(
                ProvisionChange(system="warehouse", what=f"core.{path.parent.name}: {rows} rows changed by {path.name}")
            )
    return changes


def _update(connection: psycopg.Connection, path: Path) -> int:
    """Update a table to match its file, and return how many rows were deleted or inserted."""
    table = sql.Identifier("core", path.parent.name)
    connection.execute(sql.SQL("create temporary table wanted (like {}) on commit drop").format(table))
    copy = sql.SQL("copy wanted ({}) from stdin (format csv, header match)")
    header, *_ = path.read_text(encoding="utf-8").splitlines()
    columns = sql.SQL(", ").join(map(sql.Identifier, header.split(",")))
    try:
        with connection.cursor() as cursor, cursor.copy(copy.format(columns)) as rows:
            rows.write(path.read_bytes())
        changed = sum(connection.execute(sql.SQL(query).format(table=table)).rowcount for query in (_DELETE, _INSERT))
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        raise ConfigError(f"{path}: does not fit core.{path.parent.name}: {error.diag.message_primary}") from None
    connection.execute("drop table wanted")
    return changed
