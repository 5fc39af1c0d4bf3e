"""Opening a connection by its name."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from promptsales.errors import TransientError, driver_errors
from promptsales.settings import InternalName, PublicName, Settings


@contextmanager
def connected(
    settings: Settings, name: PublicName | InternalName, database: str | None = None
) -> Iterator[psycopg.Connection]:
    """A PostgreSQL connection, in autocommit, closed at the end; to another database of the server, if one is named.

    Raises:
        TransientError: when nothing answers there, or the connection is lost.
        TerminalError: for any other error of the driver, in the body too.
    """
    try:
        address = settings.address(name)
        target = make_conninfo(address, dbname=database) if database else address
        connection = psycopg.connect(target, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError:
        raise TransientError(
            f"{name} does not answer; `promptsales status` shows the stack, `promptsales up` starts it"
        ) from None
    with driver_errors(name), connection:
        yield connection
