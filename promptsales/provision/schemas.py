"""Update a database: run its migrations, then create what is derived from the contracts, in one transaction."""

from collections.abc import Mapping

import psycopg

from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import Database, list_lines
from promptsales.provision.marts import provision_marts
from promptsales.provision.migrations import migrate, prepare, transaction
from promptsales.provision.pads import load_pads
from promptsales.provision.public import close_public
from promptsales.provision.publications import provision_publications
from promptsales.provision.readers import provision_readers
from promptsales.provision.seeds import provision_seeds
from promptsales.provision.servers import refuse_encoding, refuse_standby
from promptsales.provision.staleness import provision_staleness
from promptsales.provision.stream_tables import provision_stream_tables
from promptsales.provision.tables import provision_tables
from promptsales.provision.views import provision_views
from promptsales.provision.writers import find_bypassed_triggers, find_other_zones


def provision_database(
    connection: psycopg.Connection, database: Database, keys: Mapping[int, bytes] | None = None, dry_run: bool = False
) -> list[ProvisionChange]:
    """Update a database to match the files; its roles must exist (`provision_clusters`).

    Args:
        connection: an administrator's connection to that database.
        database: the name of the database.
        keys: hashing keys by number, of which a source database gets those it lacks; None without access to secrets.
        dry_run: roll back the changes, and return them.

    Raises:
        ConfigError: when an applied migration was changed, a contract does not fit its tables, the database hashes
            with another key of that number, its encoding is unsupported, or it is on a standby; nothing was changed.
        TransientError, TerminalError: when PostgreSQL refuses; nothing was changed.
    """
    refuse_standby(connection, f"database {database}")
    refuse_encoding(connection, connection.info.dbname)
    with transaction(connection, dry_run) as bound:
        prepare(connection)
        changes = close_public(connection, database)
        changes += [change for line in list_lines(database) for change in migrate(bound, line)]
        warnings = [*find_bypassed_triggers(connection, database), *find_other_zones(connection, database)]
        changes += [ProvisionChange(system=database, what=what, is_warning=True) for what in warnings]
        if database == "warehouse":
            for provision in (
                provision_tables,
                provision_stream_tables,
                provision_marts,
                provision_readers,
                provision_seeds,
                provision_staleness,
            ):
                changes += provision(connection)
            return changes
        changes += load_pads(connection, database, keys or {}) + provision_views(connection, database)
        return changes + provision_publications(connection, database)
