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

_TAKEN = """
insert into ops.mart_lock (mart, pid, taken_by, taken_at) values (%s, pg_backend_pid(), %s, clock_timestamp())
on conflict (mart) do update set pid = excluded.pid, taken_by = excluded.taken_by, taken_at = excluded.taken_at
"""
_UNKNOWN = "it has just started or ended"


class LongBuild(NamedTuple):
    """A build that runs longer than usual: who took the mart's lock and when, and the mart's slowest build."""

    mart: str
    pid: int
    taken_by: str
    taken_at: datetime
    slowest: timedelta


def join_builders(warehouse: psycopg.Connection) -> str | None:
    """Take the lock that keeps erasures out until ``leave_builders``; return who holds it exclusively, else None."""
    with driver_errors("build marts"), warehouse.cursor(row_factory=scalar_row) as cursor:
        if cursor.execute("select pg_try_advisory_lock_shared(%s)", [BUILD_LOCK]).fetchone() is True:
            return None
        holder = cursor.execute((SQL / "erasure.sql").read_bytes(), {"number": BUILD_LOCK}).fetchone()
    return f"marts cannot be built while a person is erased ({holder or _UNKNOWN})"


def leave_builders(warehouse: psycopg.Connection) -> None:
    """Release all locks of this session, so that erasures and other builds can start."""
    if not warehouse.broken:
        warehouse.execute("select pg_advisory_unlock_all()")


def hold(warehouse: psycopg.Connection, mart: str, triggered_by: str) -> str | None:
    """Take the lock of a mart; return who holds it instead, None when this session has it now."""
    values = {"space": BUILD_LOCK, "number": _number(mart), "mart": mart}
    with driver_errors(f"build {mart}"), warehouse.cursor(row_factory=scalar_row) as cursor:
        if cursor.execute("select pg_try_advisory_lock(%(space)s, %(number)s)", values).fetchone() is True:
            cursor.execute(_TAKEN, [mart, triggered_by])
            return None
        holder = cursor.execute((SQL / "lock_holder.sql").read_bytes(), values).fetchone()
    return f"another run is building {mart} ({holder or _UNKNOWN})"


def release(warehouse: psycopg.Connection, mart: str) -> None:
    """Release the lock of a mart."""
    if not warehouse.broken:
        warehouse.execute("select pg_advisory_unlock(%s, %s)", [BUILD_LOCK, _number(mart)])


def find_long_builds(warehouse: psycopg.Connection, at_least: timedelta = LONG) -> list[LongBuild]:
    """Return running builds that take longer than a time, and than three times the slowest of the last 20 builds.

    A mart without an earlier build has no usual time.
    """
    names = list(tables())
    values = {"marts": names, "numbers": [_number(name) for name in names], "space": BUILD_LOCK, "at_least": at_least}
    with warehouse.cursor(row_factory=args_row(LongBuild)) as cursor:
        return cursor.execute((SQL / "long_builds.sql").read_bytes(), values).fetchall()


def _number(mart: str) -> int:
    return zlib.crc32(mart.encode()) & 0x7FFFFFFF
