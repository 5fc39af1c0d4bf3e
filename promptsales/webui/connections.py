"""Open the connections that the page uses; Airflow stores them, so the API server needs no file of secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
import redis
from airflow.models.connection import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from psycopg.conninfo import make_conninfo

from promptsales.airflow_client.stored import postgres_parameters, redis_url
from promptsales.connections import failure_of, open_with
from promptsales.errors import ConfigError, driver_errors
from promptsales.settings import settings

# the page reads as a role that sees the pipeline's books only, and writes as the loader
Role = Literal["warehouse_page", "warehouse"]

# a page does not wait for a cache longer than for its query
_CACHE_S = 1.0


def _stored(conn_id: str) -> Connection:
    try:
        return Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        raise ConfigError(
            f"airflow has no connection {conn_id}; run `promptsales register`, and before it set "
            f"PROMPTSALES_DSN__{conn_id.upper()} if the server is your own"
        ) from None


def address_of(role: Role) -> dict[str, Any]:
    """Return libpq's parameters of a connection stored in Airflow.

    Raises:
        ConfigError: when Airflow has no such connection.
    """
    stored = _stored(role)
    return postgres_parameters(stored, stored.password)


@contextmanager
def warehouse(role: Role) -> Iterator[psycopg.Connection]:
    """Open a session with the warehouse, in autocommit, and close it at the end.

    Raises:
        TransientError: when the server does not answer, or the connection is lost.
        TerminalError: when it refuses the login or a statement, or Airflow has no such connection.
    """
    address = address_of(role)
    try:
        connection = open_with(
            lambda parameters: psycopg.connect(make_conninfo(**parameters), autocommit=True),
            settings(), role, address, patience="look",
        )  # fmt: skip
    except psycopg.Error as error:
        raise failure_of(settings(), role, address, error, is_stored=True) from None
    with driver_errors(role), connection:
        # a page that takes longer is of no use
        connection.execute("set statement_timeout = '5s'")
        yield connection


@contextmanager
def cache() -> Iterator["redis.Redis"]:
    """Yield a client of the global cache, which connects with its first command.

    Raises:
        ConfigError: when Airflow has no connection for it.
    """
    stored = _stored("redis")
    with redis.Redis.from_url(
        redis_url(stored), username=stored.login, password=stored.password, decode_responses=True,
        socket_timeout=_CACHE_S, socket_connect_timeout=_CACHE_S,
    ) as client:  # fmt: skip
        yield client
