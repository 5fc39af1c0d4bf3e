"""Create and update the schemas of every system as its files say; what already fits is not touched.

``provision`` does all of it. An orchestrator, which has open connections but no secrets, calls the parts:
``provision_database``, ``provision_collections`` for MongoDB, ``provision_topics`` for Kafka, ``check_keys`` for Redis.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import cast, get_args

import psycopg
import redis

from promptsales.bus import rights, topics
from promptsales.cache import unexpected_keys
from promptsales.cache.responses import TIMEOUT_S
from promptsales.connections import connected, mongo, open_beside
from promptsales.errors import ConfigError, driver_errors
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
from promptsales.targets import PublicName

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
            log_in = partial(_log_in, settings, connection)
            changes += provision_database(connection, database, hashing_keys, dry_run, log_in)
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
    """Create and configure Kafka's topics; as the operator of ``schemas/kafka/rights.yml``, update the rights too.

    Raises:
        TransientError, TerminalError: when Kafka cannot be reached or refuses.
    """
    client = topics.admin(address)
    planned = topics.plan(client)
    granted = rights.plan(client) if rights.is_operator(address) else []
    if not dry_run:
        topics.apply(client, planned)
        rights.apply(client, granted)
    return [
        *(
            ProvisionChange(system="kafka", what=f"{item.topic}: {item.what}", is_warning=item.is_warning)
            for item in planned
        ),
        *(ProvisionChange(system="kafka", what=item.what) for item in granted),
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


@contextmanager
def _log_in(settings: Settings, connection: psycopg.Connection, owner: str) -> Iterator[psycopg.Connection]:
    """Open a session of an application's owner beside an administrator's, with the generated password."""
    name = cast(PublicName, owner.removesuffix("_owner"))
    login = {"user": owner, "password": settings.secrets.password(owner)}
    with (
        driver_errors(f"session of {owner}, whose migrations are due"),
        open_beside(settings, name, connection, **login) as session,
    ):
        yield session


def _connected(settings: Settings, cluster: Cluster, database: str) -> AbstractContextManager[psycopg.Connection]:
    """Open an administrator's connection to a database of a cluster, in autocommit."""
    return connected(settings, "sources_admin" if cluster == "sources" else "warehouse_admin", database)
