"""Apply migrations: Alembic decides which are due and records them; the files are plain SQL and run as their owner.

All migrations of a database run in one transaction, together with Alembic's records and the checksums. Alembic keeps a
version table for each line in the schema ``migrations``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import sqlalchemy
from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep, RevisionStep
from alembic.script import Script
from alembic.script.revision import RevisionMap
from psycopg import sql
from sqlalchemy.pool import StaticPool

from promptsales.errors import ConfigError, driver_errors
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import Line, Migration

# advisory lock that serialises the provisions of a database; the number is arbitrary
LOCK = 3_155_001

_BOOKS = (Path(__file__).parent / "sql" / "migrations.sql").read_bytes()


@contextmanager
def transaction(connection: psycopg.Connection, dry_run: bool = False) -> Iterator[sqlalchemy.Connection]:
    """Open a transaction on a connection under the lock of provisions; a dry run rolls it back.

    Raises:
        TransientError: when another provision, or a load that uses a changed table, holds its lock for more than 30 s.
    """
    # Alembic needs SQLAlchemy, which borrows the connection and must not reset it
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connection,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        use_native_hstore=False,
    )
    autocommit, connection.autocommit = connection.autocommit, False
    with driver_errors("provision"):
        try:
            with engine.connect() as bound, bound.begin() as held:
                connection.execute("set local lock_timeout = '30s'")
                connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
                yield bound
                if dry_run:
                    held.rollback()
        except sqlalchemy.exc.DBAPIError as error:  # wraps the driver's error of Alembic's own statements
            raise error.orig or error from None
        finally:
            connection.autocommit = autocommit


def prepare(connection: psycopg.Connection) -> None:
    """Create the schema ``migrations`` if it does not exist."""
    if connection.execute("select to_regclass('migrations.applied')").fetchone() == (None,):
        connection.execute(_BOOKS)


def migrate(bound: sqlalchemy.Connection, line: Line) -> list[ProvisionChange]:
    """Apply the due migrations of a line, in the caller's transaction.

    Raises:
        ConfigError: when an applied file was changed or removed, or a new one comes before an applied one.
        TransientError, TerminalError: when a statement fails; the message names the file.
    """
    connection = cast(psycopg.Connection, bound.connection.driver_connection)
    applied = connection.execute("select number, file, sha256 from migrations.applied where line = %s", [line.name])
    verify(line, {number: (file, checksum) for number, file, checksum in applied})

    changes: list[ProvisionChange] = []

    def record(step: MigrationInfo, **_: Any) -> None:
        migration = next(item for item in line.migrations if item.number == step.up_revision_id)
        connection.execute(
            "insert into migrations.applied (line, number, file, sha256) values (%s, %s, %s, %s)",
            [line.name, migration.number, migration.name, migration.checksum],
        )
        changes.append(ProvisionChange(system=line.database, what=f"{migration.name} applied"))

    options = {
        "fn": partial(_due, _revisions(connection, line)),
        "on_version_apply": (record,),
        "version_table": line.name,
        "version_table_schema": "migrations",
    }
    MigrationContext.configure(bound, opts=options).run_migrations()
    return changes


def verify(line: Line, applied: dict[str, tuple[str, str]]) -> None:
    """Compare the files with the applied ones, given by number as ``(file, checksum)``.

    Raises:
        ConfigError: when an applied file was changed or removed, or a new one comes before an applied one.
    """
    files = {migration.number: migration for migration in line.migrations}
    for number, (file, checksum) in applied.items():
        if number not in files:
            raise ConfigError(f"{file} was applied but is missing; restore it; a new numbered file can undo it")
        if files[number].checksum != checksum:
            raise ConfigError(
                f"{files[number].name} was changed after it was applied; "
                "restore it, and write the change as a new numbered file"
            )
    for number, migration in files.items():
        if applied and number not in applied and number < max(applied):
            raise ConfigError(
                f"{migration.name} comes before {applied[max(applied)][0]}, which is applied; give it the next number"
            )


def _revisions(connection: psycopg.Connection, line: Line) -> RevisionMap:
    """Return the line as revisions of Alembic, each based on the one before."""
    previous = (None, *(migration.number for migration in line.migrations))
    scripts = [
        Script(
            cast(Any, SimpleNamespace(down_revision=down, upgrade=_upgrade(connection, line.owner, migration))),
            migration.number,
            str(migration.path),
        )
        for down, migration in zip(previous, line.migrations, strict=False)
    ]
    return RevisionMap(lambda: scripts)


def _upgrade(connection: psycopg.Connection, owner: str | None, migration: Migration) -> Callable[[], None]:
    """Return the function that runs a file; it needs a name of its own, which Alembic logs."""

    def upgrade() -> None:
        _run(connection, owner, migration)

    return upgrade


def _due(revisions: RevisionMap, heads: tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
    due = reversed(list(revisions.iterate_revisions("heads", heads, implicit_base=True)))
    return [MigrationStep.upgrade_from_script(revisions, cast(Script, revision)) for revision in due]


def _run(connection: psycopg.Connection, owner: str | None, migration: Migration) -> None:
    """Run a file as its owner, directly on the driver, so that ``%`` and ``:`` in it have no special meaning."""
    with driver_errors(f"migration {migration.name}"):
        if owner:
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(owner)))
        connection.execute(migration.text)
        connection.execute("reset role")
