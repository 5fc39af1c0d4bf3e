"""A database brought up to date: its migrations, then what is derived from the feed contracts, in one transaction."""

from collections.abc import Mapping

import psycopg

from promptsales.provision.changes import Change
from promptsales.provision.lines import Database, lines
from promptsales.provision.marts import marts
from promptsales.provision.migrations import migrate, prepare, transaction
from promptsales.provision.pads import load_pads
from promptsales.provision.publications import publications
from promptsales.provision.seeds import seeds
from promptsales.provision.stream_tables import stream_tables
from promptsales.provision.tables import tables
from promptsales.provision.views import hashing_views


def schemas(
    connection: psycopg.Connection, database: Database, keys: Mapping[int, bytes] | None = None, dry_run: bool = False
) -> list[Change]:
    """Bring a database to what the files say; its roles must be there (`clusters`).

    Args:
        connection: an administrator's, to that database.
        database: which files.
        keys: hashing keys by number; a source database is given those it has not. None where secrets are out of reach.
        dry_run: roll back what was done, and tell what it was.

    Raises:
        ConfigError: when an applied migration was changed, a contract does not fit its tables, or the database hashes
            with another key of that number; nothing was changed.
        TransientError, TerminalError: when PostgreSQL refuses; nothing was changed.
    """
    with transaction(connection, dry_run) as bound:
        prepare(connection)
        changes = [change for line in lines(database) for change in migrate(bound, line)]
        if database == "warehouse":
            return changes + tables(connection) + stream_tables(connection) + marts(connection) + seeds(connection)
        changes += load_pads(connection, database, keys or {}) + hashing_views(connection, database)
        return changes + publications(connection, database)
