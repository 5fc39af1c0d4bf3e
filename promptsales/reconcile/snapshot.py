"""Open a snapshot of a server in which values have the same text as on every other server."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import IsolationLevel

from promptsales.reconcile import statements


@contextmanager
def snapshot(connection: psycopg.Connection, read_only: bool) -> Iterator[None]:
    """Open a transaction that reads one snapshot, and roll back everything it writes.

    Args:
        connection: a connection to the server, in autocommit.
        read_only: make the server refuse writes.
    """
    previous = connection.isolation_level, connection.read_only
    connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, read_only
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statements.SAME_TEXT)
            yield
    finally:
        if not connection.closed:
            connection.isolation_level, connection.read_only = previous
