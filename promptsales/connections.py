"""Opening a connection by its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from promptsales.addresses import places
from promptsales.errors import (
    ConfigError,
    PipelineError,
    TerminalError,
    TransientError,
    driver_errors,
    is_login_refused,
)
from promptsales.settings import InternalName, PublicName, Settings

if TYPE_CHECKING:
    from pymongo import MongoClient

_MONGO_TIMEOUT_MS = 10_000


@contextmanager
def connected(
    settings: Settings, name: PublicName | InternalName, database: str | None = None
) -> Iterator[psycopg.Connection]:
    """A PostgreSQL connection, in autocommit, closed at the end; to another database of the server, if one is named.

    Raises:
        TransientError: when nothing answers there, or the connection is lost.
        ConfigError: when the server refuses the role, its password or the database.
        TerminalError: for any other error of the driver, in the body too.
    """
    address = settings.address(name)
    try:
        target = make_conninfo(address, dbname=database) if database else address
        connection = psycopg.connect(target, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise _not_opened(settings, name, error) from None
    with driver_errors(name), connection:
        yield connection


def _not_opened(settings: Settings, name: PublicName | InternalName, error: psycopg.Error) -> PipelineError:
    state = f"at {places(name, settings.address(name))} ({type(error).__name__}, sqlstate {error.sqlstate or 'none'})"
    own = f"PROMPTSALES_DSN__{name.upper()}"
    if is_login_refused(error):
        return ConfigError(
            f"connection {name}: the server {state} refuses the role, its password or the database; "
            f"correct {name} in the setting PROMPTSALES_DSN, or run `promptsales provision`"
        )
    if isinstance(error, psycopg.OperationalError):
        todo = f"check host and port in {own}" if name in settings.dsn else "`promptsales up` starts it"
        return TransientError(f"{name} does not answer {state}; `promptsales status` shows the stack, {todo}")
    return TerminalError(f"connection {name}: the driver refuses the address {state}; correct {own}")


@contextmanager
def mongo(settings: Settings, name: PublicName | InternalName) -> "Iterator[MongoClient[dict[str, Any]]]":
    """A MongoDB client that has reached its server, closed at the end.

    Raises:
        TransientError: when nothing answers there, or the connection is lost.
        ConfigError: when the server refuses the user or its password.
        TerminalError: for any other error of the driver, in the body too.
    """
    from pymongo import MongoClient

    from promptsales.failures.mongo import mongo_errors

    address = settings.address(name)
    with (
        mongo_errors(f"connection {name}", places(name, address)),
        MongoClient[dict[str, Any]](address, serverSelectionTimeoutMS=_MONGO_TIMEOUT_MS) as client,
    ):
        # the driver connects with the first call only
        client.admin.command("ping")
        yield client
