"""Update a database: run its migrations, then create what is derived from the contracts.

The warehouse is one transaction. At a source, the lines of the applications come first, each in a transaction of its
owner's session; the line ``etl`` and what is derived are one transaction after them.
"""

from collections.abc import Mapping

import psycopg

from promptsales.provision.changes import ProvisionChange
from promptsales.provision.grants import revoke_left_over
from promptsales.provision.lines import Database, list_lines
from promptsales.provision.marts import provision_marts
from promptsales.provision.migrations import LogIn, migrate, migrate_as_owner, prepare, transaction
from promptsales.provision.pads import load_pads
from promptsales.provision.planted import refuse_planted
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
from promptsales.specs.cluster import read_cluster_spec


def provision_database(
    connection: psycopg.Connection,
    database: Database,
    keys: Mapping[int, bytes] | None = None,
    dry_run: bool = False,
    log_in: LogIn | None = None,
) -> list[ProvisionChange]:
    """Update a database to match the files; its roles must exist (`provision_clusters`).

    Args:
        connection: an administrator's connection to that database.
        database: the name of the database.
        keys: hashing keys by number, of which a source database gets those it lacks; None without access to secrets.
        dry_run: change nothing, and return what would be changed, up to the first migrations of an application.
        log_in: opens a session of an application's owner in that database; None without access to secrets.

    Raises:
        ConfigError: when an applied migration was changed, a contract does not fit its tables, the database hashes
            with another key of that number, its encoding is unsupported, it is on a standby, or an application made
            schemas that are ours; nothing but migrations of applications was changed.
        TransientError, TerminalError: when PostgreSQL refuses; the same holds.
    """
    refuse_standby(connection, f"database {database}")
    refuse_encoding(connection, connection.info.dbname)
    refuse_planted(connection)
    lines = list_lines(database)
    if database == "warehouse":
        with transaction(connection, dry_run) as bound:
            prepare(connection)
            changes = close_public(connection, database)
            changes += [change for line in lines for change in migrate(bound, line)]
            return changes + _warnings(connection, database) + _derive_warehouse(connection)
    applications = [line for line in lines if line.is_of_application]
    owned = [change for line in applications for change in migrate_as_owner(connection, line, log_in, dry_run)]
    if dry_run and (owned or _lacks_roles(connection)):
        what = "hashing views, publications and grants are compared once the files are applied and the roles exist"
        return [*owned, ProvisionChange(system=database, what=what)]
    with transaction(connection, dry_run) as bound:
        changes = close_public(connection, database)
        changes += [change for line in lines if not line.is_of_application for change in migrate(bound, line)]
        changes += _warnings(connection, database) + load_pads(connection, database, keys or {})
        changes += provision_views(connection, database) + provision_publications(connection, database)
        return owned + changes + revoke_left_over(connection, database)


def _lacks_roles(connection: psycopg.Connection) -> bool:
    """Return whether a role of the sources is still to be created, which a dry run does not do."""
    existing = {name for (name,) in connection.execute("select rolname from pg_roles")}
    return not read_cluster_spec("sources").roles.keys() <= existing


def _warnings(connection: psycopg.Connection, database: Database) -> list[ProvisionChange]:
    warnings = [*find_bypassed_triggers(connection, database), *find_other_zones(connection, database)]
    return [ProvisionChange(system=database, what=what, is_warning=True) for what in warnings]


def _derive_warehouse(connection: psycopg.Connection) -> list[ProvisionChange]:
    parts = (
        provision_tables,
        provision_stream_tables,
        provision_marts,
        provision_readers,
        provision_seeds,
        provision_staleness,
    )
    return [change for provision in parts for change in provision(connection)]
