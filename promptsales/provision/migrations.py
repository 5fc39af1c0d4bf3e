"""Apply migrations: Alembic decides which are due and records them; the files are plain SQL and run as their owner.

A line runs in one transaction, together with Alembic's record. Alembic keeps a version table for each line in the
schema ``migrations``, beside the checksums of the files.

Lines of an application run in a session that their owner logs in to. What they change holds code of the application
(triggers, rules, defaults, expressions of indexes), which can undo ``set role``, and so would have all rights in a
session of the administrator.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import sqlalchemy
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from alembic.script import Script
from alembic.script.revision import RevisionMap
from psycopg import sql
from sqlalchemy.pool import StaticPool

from promptsales.errors import ConfigError, driver_errors
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import Line, Migration

# opens a session of a role, in autocommit, that the caller closes
LogIn = Callable[[str], AbstractContextManager[psycopg.Connection]]

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
    """Apply the due migrations of a line that no application owns, in the caller's transaction.

    Raises:
        ConfigError: when an applied file was changed or removed, or a new one comes before an applied one.
        TransientError, TerminalError: when a statement fails; the message names the file.
    """
    if due := _find_due(bound, line):
        _apply(bound, line, line.owner)
        _record(_driver(bound), line, due[-1].number)
    return _changes(line, due)


def migrate_as_owner(
    connection: psycopg.Connection, line: Line, log_in: LogIn | None, dry_run: bool = False
) -> list[ProvisionChange]:
    """Apply the due migrations of an application's line in a session of its owner, in a transaction of their own.

    Args:
        connection: an administrator's connection, which keeps the records.
        line: the line, which has an owner.
        log_in: opens the owner's session; None without the owner's password.
        dry_run: apply nothing, and return what would be applied.

    Raises:
        ConfigError: as `migrate`, or when something is due and the owner's password is not at hand.
        TransientError, TerminalError: when a statement fails; the message names the file.
    """
    owner = str(line.owner)
    with transaction(connection, dry_run) as bound:
        prepare(connection)
        due = _find_due(bound, line)
        if due and not dry_run:
            _lend_version(connection, line)
    if not due or dry_run:
        return _changes(line, due)
    if log_in is None:
        raise ConfigError(
            f"migration {due[0].name} is due and runs in a session of {owner}, whose password is not available here; "
            "run `promptsales provision` on the command line"
        )
    with log_in(owner) as session, transaction(session) as own:
        session.execute("set local search_path = pg_catalog, pg_temp")
        applied = _apply(own, line, None)
    with transaction(connection) as bound:
        _record(connection, line, _read_version(bound, line))
    return _changes(line, applied)


def _lend_version(connection: psycopg.Connection, line: Line) -> None:
    """Let the owner of a line record how far its own line is, and nothing else."""
    connection.execute(
        sql.SQL("grant usage on schema migrations to {0}; grant select, insert, update, delete on {1} to {0}").format(
            sql.Identifier(str(line.owner)), sql.Identifier("migrations", line.name)
        )
    )


def _find_due(bound: sqlalchemy.Connection, line: Line) -> list[Migration]:
    """Return the migrations that are due, after a check of those that were applied.

    Raises:
        ConfigError: when an applied file was changed or removed, or a new one comes before an applied one.
    """
    version = _read_version(bound, line)
    verify(line, _record(_driver(bound), line, version))
    return [migration for migration in line.migrations if migration.number > version]


def _apply(bound: sqlalchemy.Connection, line: Line, role: str | None) -> list[Migration]:
    """Run the due migrations, each as the role if there is one, and return those that ran."""
    version = _read_version(bound, line)
    _configure(bound, line, partial(_steps, _revisions(_driver(bound), line, role))).run_migrations()
    return [migration for migration in line.migrations if migration.number > version]


def _record(connection: psycopg.Connection, line: Line, version: str) -> dict[str, tuple[str, str]]:
    """Record applied files that are not recorded yet, and return all by number as ``(file, checksum)``."""
    rows = connection.execute("select number, file, sha256 from migrations.applied where line = %s", [line.name])
    applied = {number: (file, checksum) for number, file, checksum in rows}
    for migration in line.migrations:
        if migration.number <= version and migration.number not in applied:
            applied[migration.number] = migration.name, migration.checksum
            connection.execute(
                "insert into migrations.applied (line, number, file, sha256) values (%s, %s, %s, %s)",
                [line.name, migration.number, *applied[migration.number]],
            )
    return applied


def _read_version(bound: sqlalchemy.Connection, line: Line) -> str:
    """Return the number of the last applied migration, '' for none; create the version table if it is missing."""
    versions: list[str] = []

    def read(heads: tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
        versions.extend(heads)
        return []

    _configure(bound, line, read).run_migrations()
    return max(versions, default="")


def _configure(bound: sqlalchemy.Connection, line: Line, steps: Callable[..., list[RevisionStep]]) -> MigrationContext:
    options = {"fn": steps, "version_table": line.name, "version_table_schema": "migrations"}
    return MigrationContext.configure(bound, opts=options)


def _driver(bound: sqlalchemy.Connection) -> psycopg.Connection:
    return cast(psycopg.Connection, bound.connection.driver_connection)


def _changes(line: Line, migrations: list[Migration]) -> list[ProvisionChange]:
    return [ProvisionChange(system=line.database, what=f"{migration.name} applied") for migration in migrations]


# warehouse/ops/reread/table.sql as main had it on 2026-11-28: another path in its comment
_SAME = {
    "3c592941366ffdac81ba22db7e684cb2715e853b29c52e6e7afed23f3e978e53": (
        "eaffd9874b026306086111d5fec19579e10a5c7f7f896d38c1a928057c0ce2ec"
    )
}


def verify(line: Line, applied: dict[str, tuple[str, str]]) -> None:
    """Compare the files with the applied ones, given by number as ``(file, checksum)``.

    Raises:
        ConfigError: when an applied file was changed or removed, or a new one comes before an applied one.
    """
    files = {migration.number: migration for migration in line.migrations}
    for number, (file, checksum) in applied.items():
        if number not in files:
            raise ConfigError(f"{file} was applied but is missing; restore it; a new numbered file can undo it")
        if files[number].checksum != _SAME.get(checksum, checksum):
            raise ConfigError(
                f"{files[number].name} was changed after it was applied; "
                "restore it, and write the change as a new numbered file"
            )
    for number, migration in files.items():
        if applied and number not in applied and number < max(applied):
            raise ConfigError(
                f"{migration.name} comes before {applied[max(applied)][0]}, which is applied; give it the next number"
            )


def _revisions(connection: psycopg.Connection, line: Line, role: str | None) -> RevisionMap:
    """Return the line as revisions of Alembic, each based on the one before."""
    previous = (None, *(migration.number for migration in line.migrations))
    scripts = [
        Script(
            cast(Any, SimpleNamespace(down_revision=down, upgrade=_upgrade(connection, role, migration))),
            migration.number,
            str(migration.path),
        )
        for down, migration in zip(previous, line.migrations, strict=False)
    ]
    return RevisionMap(lambda: scripts)


def _upgrade(connection: psycopg.Connection, role: str | None, migration: Migration) -> Callable[[], None]:
    """Return the function that runs a file; it needs a name of its own, which Alembic logs."""

    def upgrade() -> None:
        _run(connection, role, migration)

    return upgrade


def _steps(revisions: RevisionMap, heads: tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
    due = reversed(list(revisions.iterate_revisions("heads", heads, implicit_base=True)))
    return [MigrationStep.upgrade_from_script(revisions, cast(Script, revision)) for revision in due]


def _run(connection: psycopg.Connection, role: str | None, migration: Migration) -> None:
    """Run a file directly on the driver, so that ``%`` and ``:`` in it have no special meaning."""
    with driver_errors(f"migration {migration.name}"):
        if role:
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        connection.execute(migration.text)
        if role:
            connection.execute("reset role")
