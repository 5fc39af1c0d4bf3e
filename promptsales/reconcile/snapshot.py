"""One snapshot of a server, in which every value reads as on the other one."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import IsolationLevel

from promptsales.reconcile import statements


@contextmanager
def snapshot(connection: psycopg.Connection, read_only: bool) -> Iterator[None]:
    """What is read within is of one instant; what is written within is taken back at the end.

    Args:
        connection: of the server; in autocommit.
        read_only: let the server refuse to write.
    """
    before = connection.isolation_level, connection.read_only
    connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, read_only
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statements.same_text)
            yield
    finally:
        if not connection.closed:
            connection.isolation_level, connection.read_only = before
