"""Every schema as code, brought to every system: what is there already is left alone.

``provision`` does all of it. An orchestrator, which has open connections but no secrets, calls the parts:
``schemas`` for a database, ``collections`` for MongoDB, ``topics`` for Kafka, ``keys`` for Redis.
"""

from contextlib import AbstractContextManager
from typing import get_args

import psycopg
import redis

from promptsales.bus import topics as bus
from promptsales.cache import key_spaces
from promptsales.cache.responses import TIMEOUT_S
from promptsales.connections import connected, mongo
from promptsales.errors import ConfigError
from promptsales.hashing.keys import read_keys
from promptsales.provision.changes import Change, OnProgress, quiet
from promptsales.provision.cluster import Cluster, provision_cluster
from promptsales.provision.collections import collections
from promptsales.provision.lines import Database
from promptsales.provision.pads import has_pads
from promptsales.provision.reporting import reporting_zone
from promptsales.provision.schemas import schemas
from promptsales.settings import Settings

__all__ = [
    "Change",
    "OnProgress",
    "clusters",
    "collections",
    "keys",
    "provision",
    "reporting_zone",
    "schemas",
    "topics",
]

_CLUSTERS: dict[Database, Cluster] = {"promptsales": "sources", "promptcrm": "sources", "warehouse": "warehouse"}


def provision(settings: Settings, on_progress: OnProgress = quiet, dry_run: bool = False) -> list[Change]:
    """Bring every system to what the files say.

    Args:
        settings: addresses and secrets; missing passwords and the first hashing key are made.
        on_progress: told what is being worked on.
        dry_run: change nothing, tell what would be.

    Returns:
        What was changed, in order; empty when there was nothing to do.

    Raises:
        ConfigError: when a file, key or contract cannot be.
        TransientError, TerminalError: when a system cannot be reached or refuses.
    """
    read_keys(settings.state / "secrets")  # a weak key is refused before anything is touched
    changes = clusters(settings, on_progress, dry_run)
    databases: list[Database] = [name for name in get_args(Database) if _exists(settings, name)]
    hashing_keys = _hashing_keys(settings, databases, dry_run)
    for database in databases:
        on_progress(f"database {database}")
        with _connected(settings, _CLUSTERS[database], database) as connection:
            changes += schemas(connection, database, hashing_keys, dry_run)
            if database == "warehouse":
                changes += reporting_zone(connection, settings.reporting_timezone, dry_run)
    on_progress("promptcontent")
    with mongo(settings, "promptcontent_admin") as client:
        changes += collections(client["promptcontent"], dry_run=dry_run)
    on_progress("kafka")
    changes += topics(settings.address("kafka"), dry_run)
    on_progress("redis")
    return changes + keys(settings.address("redis"))


def clusters(settings: Settings, on_progress: OnProgress = quiet, dry_run: bool = False) -> list[Change]:
    """Roles and databases of both PostgreSQL clusters: all that Airflow needs to start.

    Raises:
        TransientError, TerminalError: when a cluster cannot be reached or refuses.
    """
    changes = []
    for cluster in get_args(Cluster):
        on_progress(f"cluster {cluster}")
        with _connected(settings, cluster, "postgres") as connection:
            changes += provision_cluster(connection, cluster, settings.secrets, dry_run)
    return changes


def topics(address: str, dry_run: bool = False) -> list[Change]:
    """Kafka's topics.

    Raises:
        TransientError, TerminalError: when Kafka cannot be reached or refuses.
    """
    client = bus.admin(address)
    found = bus.plan(client)
    if not dry_run:
        bus.apply(client, found)
    return [Change(system="kafka", what=f"{item.topic}: {item.what}", is_warning=item.is_warning) for item in found]


def keys(address: str) -> list[Change]:
    """What Redis holds against its key spaces, as warnings: it has no schema that could be made.

    Raises:
        TransientError, TerminalError: when Redis cannot be reached or refuses.
    """
    with redis.Redis.from_url(
        address, decode_responses=True, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    ) as client:
        return [Change(system="redis", what=what, is_warning=True) for what in key_spaces.find_unexpected_keys(client)]


def _hashing_keys(settings: Settings, databases: list[Database], dry_run: bool) -> dict[int, bytes]:
    """The keys there are; the very first provision makes one."""
    folder = settings.state / "secrets"
    if found := read_keys(folder):
        return found
    for database in databases:
        with _connected(settings, _CLUSTERS[database], database) as connection:
            if has_pads(connection):
                raise ConfigError(
                    f"database {database} hashes with a key, but {folder} has no pii_key_1: put the file back; "
                    "without it no other system's hashes can be made equal"
                )
    if not dry_run:
        settings.secrets.create("pii_key_1")
    return read_keys(folder)


def _exists(settings: Settings, database: Database) -> bool:
    """Whether a database is there; only before the first provision, or in a dry run of it, one is not."""
    with _connected(settings, _CLUSTERS[database], "postgres") as connection:
        return connection.execute("select from pg_database where datname = %s", [database]).fetchone() is not None


def _connected(settings: Settings, cluster: Cluster, database: str) -> AbstractContextManager[psycopg.Connection]:
    """An administrator's connection to a database of a cluster, in autocommit."""
    return connected(settings, "sources_admin" if cluster == "sources" else "warehouse_admin", database)
