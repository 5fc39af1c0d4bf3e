"""Create and update the schemas of every system as its files say; what already fits is not touched.

``provision`` does all of it. An orchestrator, which has open connections but no secrets, calls the parts:
``provision_database``, ``provision_collections`` for MongoDB, ``provision_topics`` for Kafka, ``check_keys`` for Redis.
"""

from contextlib import AbstractContextManager
from typing import get_args

import psycopg
import redis

from promptsales.bus import topics as bus
from promptsales.cache import unexpected_keys
from promptsales.cache.responses import TIMEOUT_S
from promptsales.connections import connected, mongo
from promptsales.errors import ConfigError
from promptsales.hashing.keys import read_keys
from promptsales.provision.changes import OnProgress, ProvisionChange, quiet
from promptsales.provision.cluster import provision_cluster
from promptsales.provision.collections import provision_collections
from promptsales.provision.content_key import provision_content_key
from promptsales.provision.lines import Database
from promptsales.provision.pads import has_pads, wipe_old_pads
from promptsales.provision.reporting import provision_reporting_zone
from promptsales.provision.schemas import provision_database
from promptsales.settings import Settings
from promptsales.specs.cluster import Cluster

__all__ = [
    "OnProgress",
    "ProvisionChange",
    "check_keys",
    "provision",
    "provision_clusters",
    "provision_collections",
    "provision_database",
    "provision_reporting_zone",
    "provision_topics",
]

_CLUSTERS: dict[Database, Cluster] = {"promptsales": "sources", "promptcrm": "sources", "warehouse": "warehouse"}


def provision(settings: Settings, on_progress: OnProgress = quiet, dry_run: bool = False) -> list[ProvisionChange]:
    """Update every system to match the files.

    Args:
        settings: addresses and secrets; missing passwords and the first hashing key are created.
        on_progress: called with the name of each system.
        dry_run: change nothing, and return what would be changed.

    Returns:
        The changes in order; empty if there was nothing to do.

    Raises:
        ConfigError: when a file, key or contract is invalid.
        TransientError, TerminalError: when a system cannot be reached or refuses.
    """
    read_keys(settings.state / "secrets")  # refuses a weak key before anything is changed
    changes = provision_clusters(settings, on_progress, dry_run)
    databases: list[Database] = [name for name in get_args(Database) if _exists(settings, name)]
    hashing_keys = _hashing_keys(settings, databases, dry_run)
    for database in databases:
        on_progress(f"database {database}")
        with _connected(settings, _CLUSTERS[database], database) as connection:
            changes += provision_database(connection, database, hashing_keys, dry_run)
            if database == "warehouse":
                changes += provision_reporting_zone(connection, settings.reporting_timezone, dry_run)
                changes += provision_content_key(settings, connection, dry_run)
            else:
                changes += wipe_old_pads(connection, database, dry_run)
    on_progress("promptcontent")
    with mongo(settings, "promptcontent_admin") as client:
        changes += provision_collections(client["promptcontent"], dry_run=dry_run)
    on_progress("kafka")
    changes += provision_topics(settings.address("kafka"), dry_run)
    on_progress("redis")
    return changes + check_keys(settings.address("redis"))


def provision_clusters(
    settings: Settings, on_progress: OnProgress = quiet, dry_run: bool = False
) -> list[ProvisionChange]:
    """Create the roles and databases of both PostgreSQL clusters, which is all that Airflow needs to start.

    Raises:
        TransientError, TerminalError: when a cluster cannot be reached or refuses.
    """
    changes = []
    for cluster in get_args(Cluster):
        on_progress(f"cluster {cluster}")
        with _connected(settings, cluster, "postgres") as connection:
            changes += provision_cluster(connection, cluster, settings.secrets, dry_run)
    return changes


def provision_topics(address: str, dry_run: bool = False) -> list[ProvisionChange]:
    """Create and configure Kafka's topics.

    Raises:
        TransientError, TerminalError: when Kafka cannot be reached or refuses.
    """
    client = bus.admin(address)
    planned = bus.plan(client)
    if not dry_run:
        bus.apply(client, planned)
    return [
        ProvisionChange(system="kafka", what=f"{item.topic}: {item.what}", is_warning=item.is_warning)
        for item in planned
    ]


def check_keys(address: str) -> list[ProvisionChange]:
    """Return a warning for each kind of key in Redis that no key space has; Redis has no schema to create.

    Raises:
        TransientError, TerminalError: when Redis cannot be reached or refuses.
    """
    with redis.Redis.from_url(
        address, decode_responses=True, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    ) as client:
        return [
            ProvisionChange(system="redis", what=what, is_warning=True)
            for what in unexpected_keys.find_unexpected_keys(client)
        ]


def _hashing_keys(settings: Settings, databases: list[Database], dry_run: bool) -> dict[int, bytes]:
    """Return the hashing keys by number; the first provision creates one."""
    folder = settings.state / "secrets"
    if existing := read_keys(folder):
        return existing
    for database in databases:
        with _connected(settings, _CLUSTERS[database], database) as connection:
            if has_pads(connection):
                raise ConfigError(
                    f"database {database} hashes with a key, but {folder} has no pii_key_1; put the file back; "
                    "with another key the hashes of other systems would not join"
                )
    if not dry_run:
        settings.secrets.create("pii_key_1")
    return read_keys(folder)


def _exists(settings: Settings, database: Database) -> bool:
    """Return whether a database exists; one is missing only in a dry run before the first provision."""
    with _connected(settings, _CLUSTERS[database], "postgres") as connection:
        return connection.execute("select from pg_database where datname = %s", [database]).fetchone() is not None


def _connected(settings: Settings, cluster: Cluster, database: str) -> AbstractContextManager[psycopg.Connection]:
    """Open an administrator's connection to a database of a cluster, in autocommit."""
    return connected(settings, "sources_admin" if cluster == "sources" else "warehouse_admin", database)
