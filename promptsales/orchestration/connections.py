"""Open the connections that are stored in Airflow, for use by the library."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import psycopg
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from promptsales.airflow_client.stored import redis_url
from promptsales.connections import open_with
from promptsales.errors import driver_errors
from promptsales.extract.sources import Hashing, Source
from promptsales.failures.postgres import connection_failure
from promptsales.failures.reach import Server
from promptsales.hashing.hashes import active_key
from promptsales.kafka_address import compose_address
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.feed import Contract

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from pymongo import MongoClient

log = logger(__name__)


@contextmanager
def postgres(conn_id: str, database: str | None = None) -> Iterator[psycopg.Connection]:
    """Open a PostgreSQL connection stored in Airflow, in autocommit mode.

    Session settings are those of `promptsales.connections`, whatever was edited in Airflow. Driver errors in the body
    become transient or terminal errors, so that Airflow retries only transient ones.

    Args:
        conn_id: id of the Airflow connection.
        database: another database of the same cluster.

    Raises:
        TransientError: when the server does not answer, or the connection is lost.
        TerminalError: when the server rejects the login or a statement, or ignores a session setting.
    """
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    from promptsales.airflow_client.registration import name_of

    hook = PostgresHook(conn_id, database=database)

    def connect(parameters: dict[str, Any]) -> psycopg.Connection:
        hook.connection.extra = json.dumps(parameters)
        return cast(psycopg.Connection, hook.get_conn())

    stored = hook.connection
    server = _server("PostgreSQL", stored, 5432)
    try:
        connection = open_with(connect, settings(), name_of(conn_id), stored.extra_dejson)
    except psycopg.Error as error:
        raise connection_failure(conn_id, server, database or str(stored.schema), error) from None
    connection.autocommit = True
    with driver_errors(conn_id), connection:
        yield connection


@contextmanager
def mongo(conn_id: str) -> "Iterator[MongoClient[dict[str, Any]]]":
    """Open a MongoDB connection stored in Airflow, and check that the server answers.

    Raises:
        TransientError: when the server does not answer, or the connection is lost.
        TerminalError: when the server rejects the login or a command.
    """
    from airflow.providers.mongo.hooks.mongo import MongoHook

    from promptsales.failures.mongo import mongo_errors

    server = _server("MongoDB", BaseHook.get_connection(conn_id), 27017)
    with mongo_errors(f"connection {conn_id}", server), MongoHook(conn_id).get_conn() as client:
        # the driver does not connect before its first command
        client.admin.command("ping")
        yield client


def _server(kind: str, stored: "Connection", port: int) -> Server:
    """Return what a message may say of the server of a connection that is stored in Airflow."""
    hosts = f"{stored.host}:{stored.port}" if stored.port and "," not in str(stored.host) else str(stored.host)
    where = f"the Airflow connection {stored.conn_id} (Admin > Connections)"
    return Server(kind, hosts, port, stored.login or "", where, not stored.extra_dejson.get("srv"))


def kafka_address(conn_id: str) -> str:
    """Return the address of a Kafka connection stored in Airflow."""
    connection = BaseHook.get_connection(conn_id)
    login = {"sasl.username": connection.login, "sasl.password": connection.password}
    return compose_address({**connection.extra_dejson, **{name: text for name, text in login.items() if text}})


def forget_responses(*tables: str) -> None:
    """Invalidate the cached responses that were computed from tables that have just been published.

    Log a warning when Redis does not answer or Airflow has no connection for it: a stale cache must not fail a load.
    """
    import redis

    from promptsales.cache.responses import TIMEOUT_S, forget

    try:
        connection = BaseHook.get_connection("redis")
    except AirflowNotFoundException:
        log.warning("airflow has no connection redis, so cached responses stay: run `promptsales register`")
        return
    with redis.Redis.from_url(
        redis_url(connection), username=connection.login, password=connection.password,
        socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S,
    ) as client:  # fmt: skip
        forget(client, tables)


@contextmanager
def source(contract: Contract) -> Iterator[Source]:
    """Open the source of a feed through the Airflow connection named after its system.

    A feed that is hashed in the task reads the hashing key from the key files, because people can see and edit Airflow
    connections.

    Raises:
        TransientError: when the server does not answer.
        SourceRefused: when the feed is hashed in the task and there is no key.
    """
    system = contract.source.system
    if contract.path == "change_stream":
        from promptsales.extract.mongo.reader import Content

        key = active_key(settings().state / "secrets", contract.key_file)
        with mongo(system) as client:
            yield Content(client, kafka_address("kafka_content"), key)
        return
    with postgres(system) as connection:
        if contract.hash_at == "extract":
            yield Hashing(connection, active_key(settings().state / "secrets", contract.key_file))
        else:
            yield connection
