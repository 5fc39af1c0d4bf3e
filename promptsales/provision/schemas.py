"""A database brought up to date: its migrations, then what is derived from the feed contracts, in one transaction."""

from collections.abc import Mapping

import psycopg

from promptsales.provision.changes import Change
from promptsales.provision.lines import Database, lines
from promptsales.provision.marts import marts
from promptsales.provision.migrations import migrate, prepare, transaction
from promptsales.provision.pads import load_pads
from promptsales.provision.publications import publications
from promptsales.provision.readers import readers
from promptsales.provision.seeds import seeds
from promptsales.provision.servers import refuse_encoding, refuse_standby
from promptsales.provision.staleness import staleness
from promptsales.provision.stream_tables import stream_tables
from promptsales.provision.tables import tables
from promptsales.provision.views import hashing_views
from promptsales.provision.writers import bypassed_triggers, other_zones


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
        ConfigError: when an applied migration was changed, a contract does not fit its tables, the database hashes
            with another key of that number, or cannot be served (its encoding, a standby); nothing was changed.
        TransientError, TerminalError: when PostgreSQL refuses; nothing was changed.
    """
    refuse_standby(connection, f"database {database}")
    refuse_encoding(connection, connection.info.dbname)
    with transaction(connection, dry_run) as bound:
        prepare(connection)
        changes = [change for line in lines(database) for change in migrate(bound, line)]
        told = [*bypassed_triggers(connection, database), *other_zones(connection, database)]
        changes += [Change(system=database, what=what, is_warning=True) for what in told]
        if database == "warehouse":
            for bring in (tables, stream_tables, marts, readers, seeds, staleness):
                changes += bring(connection)
            return changes
        changes += load_pads(connection, database, keys or {}) + hashing_views(connection, database)
        return changes + publications(connection, database)
