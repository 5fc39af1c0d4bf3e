"""Open every PostgreSQL session, with the session settings that our statements rely on.

A role, a database or a server may have settings of its own (``alter role .. set DateStyle = 'SQL, DMY'``). Options that
a session sends at its start override them, so what we read and write does not depend on them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from promptsales.addresses import format_hosts
from promptsales.errors import ConfigError, PipelineError, driver_errors
from promptsales.failures.postgres import connection_failure
from promptsales.failures.reach import Server
from promptsales.settings import Settings, drop_libpq_settings
from promptsales.targets import POSTGRES, InternalName, PublicName, postgres_target

if TYPE_CHECKING:
    from pymongo import MongoClient

Name = PublicName | InternalName
_MONGO_TIMEOUT_MS = 10_000
# how long a statement may take: one that processes tables, or one that a user waits for
Patience = Literal["work", "look"]

# the text form of values that psycopg and our statements expect
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
# how statements run; with these keepalives, a server closes the session of a vanished client after two minutes
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
# servers before version 17 lack the first, servers on Windows the second (it ends the statement of a vanished client);
# a server refuses a session that asks for a setting it lacks
_NOT_EVERYWHERE = {"transaction_timeout": "0", "client_connection_check_interval": "2s"}
# our side notices a vanished server just as fast; an address may override this
_KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
# an administrator's session resolves names in PostgreSQL's own schema only: in `public`, or in a schema named like the
# role, an application could put a better match of a function that we call, and it would run with all rights
_ADMINISTRATORS = frozenset({"sources_admin", "warehouse_admin"})
ADMIN_PATH = "pg_catalog,pg_temp"
SCRAM = "scram-sha-256"
_READERS = frozenset({"promptsales_etl", "promptcrm_etl", "promptads_audit", "promptcrm_audit", "bi", "warehouse_page"})
# settings that a server reports for every session
_REPORTED = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
}


def start_options(settings: Settings, name: Name, patience: Patience = "work", without: Collection[str] = ()) -> str:
    """Return the options that a session sends at its start, for libpq and JDBC.

    Args:
        settings: give the longest statement.
        name: the connection.
        patience: whether a statement may take as long as a load, or only as long as a user waits.
        without: settings that the server lacks.
    """
    minutes = settings.work_timeout_minutes if patience == "work" else settings.look_timeout_minutes
    options = _TEXT | _RUN | _NOT_EVERYWHERE
    options |= dict.fromkeys(("statement_timeout", "idle_in_transaction_session_timeout"), f"{minutes}min")
    if name in _ADMINISTRATORS:
        options["search_path"] = ADMIN_PATH
    options["default_transaction_read_only"] = "on" if name in _READERS else "off"
    if name != "bi":
        # dashboards may have row policies; for every other role, a hidden row must be an error
        options["row_security"] = "off"
    return " ".join(f"-c {key}={_escape(value)}" for key, value in options.items() if key not in without)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def require_scram(settings: Settings, name: Name, address: Mapping[str, Any]) -> dict[str, Any]:
    """Return an address's parameters with SCRAM required, if its login is one whose password we generate.

    SCRAM shows a server nothing of the password, and proves that the server knows it. Without this, libpq sends the
    password in clear text to whatever listens at the address and asks for it. An address may say otherwise.
    """
    is_ours = name not in _ADMINISTRATORS or name not in settings.dsn
    if not is_ours or address.get("user") != postgres_target(name).role:
        return dict(address)
    return {"require_auth": SCRAM} | dict(address)


def _parameters(
    settings: Settings, name: Name, address: Mapping[str, Any], patience: Patience, without: Collection[str] = ()
) -> dict[str, Any]:
    """Return an address's parameters with those that our sessions rely on.

    The address's own ``options`` may set the search path, except an administrator's; ours come later and override
    every other setting in them.
    """
    drop_libpq_settings()
    path = f"-c search_path={_escape(postgres_target(name).search_path or 'public')}"
    options = " ".join(filter(None, (path, address.get("options"), start_options(settings, name, patience, without))))
    protected = require_scram(settings, name, address)
    return {"connect_timeout": 10} | _KEEPALIVES | protected | {"client_encoding": "UTF8", "options": options}


def open_with(
    connect: Callable[[dict[str, Any]], psycopg.Connection],
    settings: Settings,
    name: Name,
    address: Mapping[str, Any],
    patience: Patience = "work",
) -> psycopg.Connection:
    """Open a session with our settings, without those that the server lacks.

    Args:
        connect: opens a connection from libpq's parameters.
        settings: give the longest statement.
        name: the connection.
        address: its address as libpq's parameters.
        patience: see ``start_options``.

    Raises:
        psycopg.Error: when the driver cannot connect.
        ConfigError: when a pooler or a trigger changes our session settings.
    """
    without: set[str] = set()
    while True:
        try:
            connection = connect(_parameters(settings, name, address, patience, without))
        except psycopg.OperationalError as error:
            refused = {setting for setting in _NOT_EVERYWHERE.keys() - without if setting in str(error)}
            if not refused:
                raise
            without |= refused
        else:
            if problem := _check_session(connection, name):
                connection.close()
                raise problem
            return connection


@contextmanager
def connected(
    settings: Settings, name: Name, database: str | None = None, patience: Patience = "work"
) -> Iterator[psycopg.Connection]:
    """Open a PostgreSQL connection in autocommit, to ``database`` if given, and close it at the end.

    Raises:
        TransientError: when the server does not answer, or the connection is lost.
        ConfigError: when the server refuses the role, its password or the database, or a pooler or a trigger changes
            our session settings.
        TerminalError: on any other error of the driver, also in the body.
    """
    connection = _open(settings, name, database, patience)
    with driver_errors(name), connection:
        yield connection


@contextmanager
def open_beside(
    settings: Settings, name: Name, connection: psycopg.Connection, **parameters: str
) -> Iterator[psycopg.Connection]:
    """Open a second session to the same database, in autocommit, and close it at the end.

    Raises:
        psycopg.Error: when the driver cannot connect.
        ConfigError: when a pooler or a trigger changes our session settings.
    """
    address = conninfo_to_dict(connection.info.dsn) | {"password": connection.info.password} | parameters
    with open_with(_connect, settings, name, address) as second:
        yield second


async def open_async(
    settings: Settings,
    name: Name,
    patience: Patience = "work",
    address: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> AsyncConnection[Any]:
    """Open a connection for asyncio, in autocommit; ``parameters`` are libpq's and override the address.

    ``address`` gives libpq's parameters of the connection as Airflow stores it; by default the settings give them.

    Raises:
        TransientError: when the server does not answer.
        ConfigError: when it refuses the login, or a pooler or a trigger changes our session settings.
    """
    chosen = dict(conninfo_to_dict(settings.address(name)) if address is None else address) | parameters
    target = make_conninfo(**_parameters(settings, name, chosen, patience))
    try:
        connection = await AsyncConnection.connect(target, autocommit=True)
    except psycopg.Error as error:
        raise failure_of(settings, name, chosen, error, is_stored=address is not None) from None
    if problem := _check_session(connection, name):
        await connection.close()
        raise problem
    return connection


def _check_session(connection: psycopg.Connection | AsyncConnection[Any], name: Name) -> ConfigError | None:
    """Return an error when the session has other settings than it asked for, by a pooler or a trigger on login."""
    for setting, expected in _REPORTED.items():
        if (actual := connection.info.parameter_status(setting)) != expected:
            return ConfigError(
                f"connection {name}: the session has {setting} {actual}, expected {expected}; connect to PostgreSQL "
                "itself, not to a pooler that drops start-up parameters, and let no trigger on login change this"
            )
    return None


def missing_settings(connection: psycopg.Connection) -> set[str]:
    """Return the settings that an open session left out because its server lacks them."""
    options = connection.info.get_parameters().get("options", "")
    return {setting for setting in _NOT_EVERYWHERE if f"-c {setting}=" not in options}


def _connect(parameters: dict[str, Any]) -> psycopg.Connection:
    return psycopg.connect(make_conninfo(**parameters), autocommit=True)


def _open(settings: Settings, name: Name, database: str | None, patience: Patience) -> psycopg.Connection:
    parameters = conninfo_to_dict(settings.address(name), **({"dbname": database} if database else {}))
    try:
        return open_with(_connect, settings, name, parameters, patience)
    except psycopg.Error as error:
        raise failure_of(settings, name, parameters, error) from None


def failure_of(
    settings: Settings, name: Name, parameters: Mapping[str, Any], error: psycopg.Error, is_stored: bool = False
) -> PipelineError:
    """Return our error for a session that could not be opened; Airflow has the address when it ``is_stored`` there."""
    # the driver's text may quote the address, password included
    user, asked = (str(parameters.get(key) or "") for key in ("user", "dbname"))
    server = _server(settings, name, user)
    if is_stored:
        hosts = format_hosts(name, make_conninfo(host=parameters.get("host"), port=parameters.get("port")))
        server = server._replace(hosts=hosts, where=f"the Airflow connection {name} (Admin > Connections)")
    return connection_failure(name, server, asked, error)


def _server(settings: Settings, name: Name, user: str) -> Server:
    """Return what a message may say of a connection's server."""
    address, where = settings.address(name), f"PROMPTSALES_DSN__{name.upper()}" if name in settings.dsn else ""
    if name in POSTGRES:
        return Server("PostgreSQL", format_hosts(name, address), 5432, user, where)
    return Server("MongoDB", format_hosts(name, address), 27017, user, where, "+srv:" not in address)


@contextmanager
def mongo(settings: Settings, name: Name) -> "Iterator[MongoClient[dict[str, Any]]]":
    """Open a MongoDB client, check that its server answers, and close it at the end.

    Raises:
        TransientError: when the server does not answer, or the connection is lost.
        ConfigError: when the server refuses the user or its password.
        TerminalError: on any other error of the driver, also in the body.
    """
    from pymongo import MongoClient

    from promptsales.failures.mongo import mongo_errors

    address = settings.address(name)
    with (
        mongo_errors(f"connection {name}", _server(settings, name, unquote(urlsplit(address).username or ""))),
        MongoClient[dict[str, Any]](address, serverSelectionTimeoutMS=_MONGO_TIMEOUT_MS) as client,
    ):
        # the driver only connects at the first call
        client.admin.command("ping")
        yield client
