"""Opening a connection by its name."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from promptsales.addresses import places
from promptsales.errors import ConfigError, TransientError, driver_errors, is_login_refused
from promptsales.settings import InternalName, PublicName, Settings


@contextmanager
def connected(
    settings: Settings, name: PublicName | InternalName, database: str | None = None
) -> Iterator[psycopg.Connection]:
    """A PostgreSQL connection, in autocommit, closed at the end; to another database of the server, if one is named.

    Raises:
        TransientError: when nothing answers there, or the connection is lost.
        ConfigError: when the address is none, or the server refuses the role, its password or the database.
        TerminalError: for any other error of the driver, in the body too.
    """
    connection = _opened(settings.address(name), name, database)
    with driver_errors(name), connection:
        yield connection


def _opened(address: str, name: str, database: str | None) -> psycopg.Connection:
    try:
        target = make_conninfo(address, dbname=database) if database else make_conninfo(address)
        return psycopg.connect(target, autocommit=True, connect_timeout=10)
    except psycopg.ProgrammingError:
        # the driver's text quotes the address, its password too
        raise ConfigError(
            f"connection {name}: its address is malformed, expected postgresql://user:password@host:port/database; "
            f"correct {name} in the setting PROMPTSALES_DSN"
        ) from None
    except psycopg.OperationalError as error:
        if is_login_refused(error):
            raise ConfigError(
                f"connection {name}: the server refuses the role, its password or the database; "
                f"correct {name} in the setting PROMPTSALES_DSN, or run `promptsales provision`"
            ) from None
        raise TransientError(
            f"{name} does not answer at {places(name, address)} ({type(error).__name__}); "
            "`promptsales status` shows the stack, `promptsales up` starts it"
        ) from None
