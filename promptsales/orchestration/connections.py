"""Open connections for the library, from the ones that are seen and edited in Airflow."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import psycopg
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from promptsales.connections import open_with
from promptsales.errors import driver_errors
from promptsales.extract.sources import Hashing, Source
from promptsales.hashing.hashes import active_key
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.feed import Contract

if TYPE_CHECKING:
    from pymongo import MongoClient

log = logger(__name__)


@contextmanager
def postgres(conn_id: str, database: str | None = None) -> Iterator[psycopg.Connection]:
    """The PostgreSQL connection Airflow knows by this id, in autocommit; closed at the end.

    The session is as every session of ours (`promptsales.connections`), whatever was edited in Airflow.
    The driver's errors in the body are sorted, too: Airflow tries a task again only after an error that may pass.

    Args:
        conn_id: its id.
        database: another database of the same cluster.

    Raises:
        TransientError: when the server does not answer, or the connection is lost.
        TerminalError: when it refuses the login or a statement, or the session is not as it was asked for.
    """
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    from promptsales.airflow_client.registration import name_of

    hook = PostgresHook(conn_id, database=database)

    def connect(parameters: dict[str, Any]) -> psycopg.Connection:
        hook.connection.extra = json.dumps(parameters)
        return cast(psycopg.Connection, hook.get_conn())

    with driver_errors(f"connect to {conn_id}"):
        connection = open_with(connect, settings(), name_of(conn_id), hook.connection.extra_dejson)
        connection.autocommit = True
    with driver_errors(conn_id), connection:
        yield connection


@contextmanager
def mongo(conn_id: str) -> "Iterator[MongoClient[dict[str, Any]]]":
    """The MongoDB client of the connection Airflow knows by this id, once it has reached its server; closed at the end.

    Raises:
        TransientError: when the server does not answer, or the connection is lost.
        TerminalError: when it refuses the login or a command.
    """
    from airflow.providers.mongo.hooks.mongo import MongoHook

    from promptsales.failures.mongo import mongo_errors

    place = str(BaseHook.get_connection(conn_id).host)
    with mongo_errors(f"connection {conn_id}", place), MongoHook(conn_id).get_conn() as client:
        # the driver connects with the first call only
        client.admin.command("ping")
        yield client


def bootstrap_servers(conn_id: str) -> str:
    """The Kafka servers Airflow knows by this id, as the client wants them."""
    return str(BaseHook.get_connection(conn_id).extra_dejson["bootstrap.servers"])


def forget_responses(*tables: str) -> None:
    """Let go of the answers in the global cache that were made from tables published just now.

    A publication never fails of it: an absent cache is logged, and so is one that Airflow does not know.
    """
    import redis

    from promptsales.cache.responses import TIMEOUT_S, forget

    try:
        known = BaseHook.get_connection("redis")
    except AirflowNotFoundException:
        log.warning("airflow has no connection redis: `promptsales register` makes it")
        return
    with redis.Redis(
        host=str(known.host), port=known.port or 6379, username=known.login, password=known.password,
        db=int(known.schema or 0), ssl=bool(known.extra_dejson.get("ssl")),
        socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S,
    ) as client:  # fmt: skip
        forget(client, tables)


@contextmanager
def source(contract: Contract) -> Iterator[Source]:
    """The source of a feed, by the connections that bear its system's name, closed at the end.

    What is hashed here, in the task, takes its key from the key files: a connection is seen and edited by people.

    Raises:
        TransientError: when the server does not answer.
        SourceRefused: when the feed is hashed here and there is no key.
    """
    system = contract.source.system
    if contract.path == "change_stream":
        from promptsales.extract.mongo.reader import Content

        key = active_key(settings().state / "secrets")
        with mongo(system) as client:
            yield Content(client, bootstrap_servers("kafka"), key)
        return
    with postgres(system) as connection:
        if contract.hash_at == "extract":
            yield Hashing(connection, active_key(settings().state / "secrets"))
        else:
            yield connection
