"""Every PostgreSQL session of ours is opened here, and sets itself what we rely on.

A role, a database or a server may have settings of its own (``alter role .. set DateStyle = 'SQL, DMY'``). What a
session asks for as it starts outranks them all, so nothing that we read or write depends on them.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from promptsales.addresses import places
from promptsales.errors import (
    ConfigError,
    PipelineError,
    TerminalError,
    TransientError,
    driver_errors,
    is_login_refused,
)
from promptsales.settings import InternalName, PublicName, Settings, place_of

if TYPE_CHECKING:
    from pymongo import MongoClient

Name = PublicName | InternalName
_MONGO_TIMEOUT_MS = 10_000
# how long a statement may take: one that works through tables, or one that somebody waits for
Patience = Literal["work", "look"]

# how values are written and read, as psycopg and our own statements expect it
_TEXT = {
    "DateStyle": "ISO,MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "array_nulls": "on",
    "backslash_quote": "safe_encoding",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "xmlbinary": "base64",
    "xmloption": "content",
}
# how statements run; a server closes the session of a client whose host is gone after two minutes
_RUN = {
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    "idle_session_timeout": "0",
    "jit": "off",
    "lock_timeout": "0",
    "synchronous_commit": "on",
    "tcp_keepalives_count": "6",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
}
# by the second a statement ends whose client is gone; before version 17 a server has not the first, on Windows not the
# second, and refuses a session that asks for it
_NOT_EVERYWHERE = {"transaction_timeout": "0", "client_connection_check_interval": "2s"}
# the same of a server whose host is gone, on our side; what an address says itself stays
_KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
# settings that libpq would take from the environment and send after ours
_ENVIRONMENT = ("PGTZ", "PGDATESTYLE", "PGGEQO")
_READERS = frozenset({"promptsales_etl", "promptcrm_etl", "bi"})
# what a server reports of every session without being asked
_REPORTED = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
}


def start_options(settings: Settings, name: Name, patience: Patience = "work", without: Collection[str] = ()) -> str:
    """Return what a session asks for as it starts, whatever its role, database or server say; JDBC's driver too.

    Args:
        settings: how long a statement may take.
        name: the connection.
        patience: of whom.
        without: what the server does not have.
    """
    minutes = settings.work_timeout_minutes if patience == "work" else settings.look_timeout_minutes
    found = _TEXT | _RUN | _NOT_EVERYWHERE
    found |= dict.fromkeys(("statement_timeout", "idle_in_transaction_session_timeout"), f"{minutes}min")
    found["default_transaction_read_only"] = "on" if name in _READERS else "off"
    if name != "bi":
        # policies may be meant for dashboards; to anybody else a hidden row is an error
        found["row_security"] = "off"
    return " ".join(f"-c {key}={_escaped(value)}" for key, value in found.items() if key not in without)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _parameters(
    settings: Settings, name: Name, given: Mapping[str, Any], patience: Patience, without: Collection[str] = ()
) -> dict[str, Any]:
    """Return an address's parameters with what our sessions rely on.

    A search path of the address's own ``options`` stays; of any other setting there, ours is the last and holds.
    """
    for variable in _ENVIRONMENT:
        os.environ.pop(variable, None)
    path = f"-c search_path={_escaped(place_of(name).search_path or 'public')}"
    options = " ".join(filter(None, (path, given.get("options"), start_options(settings, name, patience, without))))
    return {"connect_timeout": 10} | _KEEPALIVES | dict(given) | {"client_encoding": "UTF8", "options": options}


def opened_by(
    connect: Callable[[dict[str, Any]], psycopg.Connection],
    settings: Settings,
    name: Name,
    given: Mapping[str, Any],
    patience: Patience = "work",
) -> psycopg.Connection:
    """Connect with what our sessions rely on, less what the server says it does not have.

    Args:
        connect: opens a connection by the driver's parameters.
        settings: how long a statement may take.
        name: the connection.
        given: the parameters of its address.
        patience: of whom.

    Raises:
        psycopg.Error: as the driver.
        ConfigError: when something between us and the server changes what the session relies on.
    """
    without: set[str] = set()
    while True:
        try:
            connection = connect(_parameters(settings, name, given, patience, without))
        except psycopg.OperationalError as error:
            refused = {setting for setting in _NOT_EVERYWHERE.keys() - without if setting in str(error)}
            if not refused:
                raise
            without |= refused
        else:
            if changed := _changed(connection, name):
                connection.close()
                raise changed
            return connection


@contextmanager
def connected(
    settings: Settings, name: Name, database: str | None = None, patience: Patience = "work"
) -> Iterator[psycopg.Connection]:
    """A PostgreSQL connection, in autocommit, closed at the end; to another database of the server, if one is named.

    Raises:
        TransientError: when nothing answers there, or the connection is lost.
        ConfigError: when the server refuses the role, its password or the database, or something between us and the
            server changes what the session relies on.
        TerminalError: for any other error of the driver, in the body too.
    """
    connection = _opened(settings, name, database, patience)
    with driver_errors(name), connection:
        yield connection


@contextmanager
def beside(settings: Settings, name: Name, connection: psycopg.Connection, **more: str) -> Iterator[psycopg.Connection]:
    """Open a second session like one that is open, in autocommit; closed at the end. ``more`` are the driver's.

    Raises:
        psycopg.Error: as the driver.
        ConfigError: when something between us and the server changes what the session relies on.
    """
    given = conninfo_to_dict(connection.info.dsn) | {"password": connection.info.password} | more
    with opened_by(_connect, settings, name, given) as other:
        yield other


async def opened_async(
    settings: Settings, name: Name, patience: Patience = "work", **given: Any
) -> AsyncConnection[Any]:
    """Open a connection to the warehouse for asyncio, in autocommit; ``given`` are more parameters of the driver.

    Raises:
        psycopg.Error: as the driver.
        ConfigError: when something between us and the server changes what the session relies on.
    """
    where = conninfo_to_dict(settings.address(name)) | given
    target = make_conninfo(**_parameters(settings, name, where, patience))
    connection = await AsyncConnection.connect(target, autocommit=True)
    if changed := _changed(connection, name):
        await connection.close()
        raise changed
    return connection


def _changed(connection: psycopg.Connection | AsyncConnection[Any], name: Name) -> ConfigError | None:
    """Return what is wrong by what the server reports: a pooler, or a trigger on login, may have the last word."""
    for setting, value in _REPORTED.items():
        if (there := connection.info.parameter_status(setting)) != value:
            return ConfigError(
                f"connection {name}: the session has {setting} {there}, it asked for {value}; connect to PostgreSQL "
                "itself, not to a pooler that drops start-up parameters, and let no trigger on login change this"
            )
    return None


def absent(connection: psycopg.Connection) -> set[str]:
    """Return which settings a session of ours did without, as its server does not have them or cannot serve them."""
    asked = connection.info.get_parameters().get("options", "")
    return {setting for setting in _NOT_EVERYWHERE if f"-c {setting}=" not in asked}


def _connect(target: dict[str, Any]) -> psycopg.Connection:
    return psycopg.connect(make_conninfo(**target), autocommit=True)


def _opened(settings: Settings, name: Name, database: str | None, patience: Patience) -> psycopg.Connection:
    address = settings.address(name)
    try:
        given = conninfo_to_dict(address, dbname=database) if database else conninfo_to_dict(address)
        return opened_by(_connect, settings, name, given, patience)
    except psycopg.Error as error:
        # the driver's text may quote the address, its password too
        raise _not_opened(settings, name, error) from None


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
