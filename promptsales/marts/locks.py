"""Advisory locks: one run at a time builds a mart, and no person is erased while marts are built."""

import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg.rows import args_row, scalar_row

from promptsales.erasure.suppression import BUILD_LOCK
from promptsales.errors import driver_errors
from promptsales.marts.plan import SQL
from promptsales.specs.mart import tables

# no build that takes less is reported as long
LONG = timedelta(minutes=10)


class LongBuild(NamedTuple):
    """A build that runs longer than usual: the session that holds the mart's lock, and the mart's slowest build."""

    mart: str
    pid: int
    connected_at: datetime
    slowest: timedelta


def join_builders(warehouse: psycopg.Connection) -> str | None:
    """Take the lock that keeps erasures out until ``leave_builders``; return who holds it exclusively, else None."""
    with driver_errors("build marts"), warehouse.cursor(row_factory=scalar_row) as cursor:
        if cursor.execute("select pg_try_advisory_lock_shared(%s)", [BUILD_LOCK]).fetchone() is True:
            return None
    return f"another run is building marts ({_holder(warehouse, 0, BUILD_LOCK, 1)})"


def leave_builders(warehouse: psycopg.Connection) -> None:
    """Release all locks of this session, so that erasures and other builds can start."""
    if not warehouse.broken:
        warehouse.execute("select pg_advisory_unlock_all()")


def hold(warehouse: psycopg.Connection, mart: str) -> str | None:
    """Take the lock of a mart; return who holds it instead, None when this session has it now."""
    with driver_errors(f"build {mart}"), warehouse.cursor(row_factory=scalar_row) as cursor:
        if cursor.execute("select pg_try_advisory_lock(%s, %s)", [BUILD_LOCK, _number(mart)]).fetchone() is True:
            return None
    return f"another run is building {mart} ({_holder(warehouse, BUILD_LOCK, _number(mart), 2)})"


def release(warehouse: psycopg.Connection, mart: str) -> None:
    """Release the lock of a mart."""
    if not warehouse.broken:
        warehouse.execute("select pg_advisory_unlock(%s, %s)", [BUILD_LOCK, _number(mart)])


def find_long_builds(warehouse: psycopg.Connection, at_least: timedelta = LONG) -> list[LongBuild]:
    """Return running builds that take longer than a time, and than three times the slowest of the last 20 builds.

    A mart without an earlier build has no usual time, and a session whose start is hidden from this role is left out.
    """
    names = list(tables())
    values = {"marts": names, "numbers": [_number(name) for name in names], "space": BUILD_LOCK, "at_least": at_least}
    with warehouse.cursor(row_factory=args_row(LongBuild)) as cursor:
        return cursor.execute((SQL / "long_builds.sql").read_bytes(), values).fetchall()


def _number(mart: str) -> int:
    return zlib.crc32(mart.encode()) & 0x7FFFFFFF


def _holder(warehouse: psycopg.Connection, space: int, number: int, kind: int) -> str:
    values = {"space": space, "number": number, "kind": kind}
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute((SQL / "lock_holder.sql").read_bytes(), values).fetchone() or "which has just ended"
