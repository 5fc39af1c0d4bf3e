"""Truncations of streamed tables: the version of each, and whether its rows are deleted yet.

Debezium sends one TRUNCATE event per table. The event has no key, so it lands on any partition, before or after older
rows of the other partitions, and is only recorded at first. Once everything that was on the bus then is applied, the
older rows are deleted (`stream/truncate.py`). The sink skips an older row that arrives later still.
"""

from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.specs.stream import Connector, contracts_of

NOTE = b"""
    insert into ops.truncation (feed, src_epoch, src_commit, src_lsn, committed_at)
    values (%(table)s, %(epoch)s, %(commit)s, %(lsn)s, %(committed_at)s) on conflict do nothing
"""
_PENDING = """
    select feed as "table", src_epoch as epoch, src_commit as commit, src_lsn as lsn, committed_at from ops.truncation
    where feed = any(%s) and applied_at is null order by feed, src_epoch, src_commit, src_lsn
"""
_APPLIED = """
    update ops.truncation set deleted = %(deleted)s, applied_at = clock_timestamp()
    where feed = %(table)s and src_epoch = %(epoch)s and src_lsn = %(lsn)s
"""


class Truncation(NamedTuple):
    """A TRUNCATE of a streamed table at the source, and its version."""

    table: str
    epoch: int
    commit: int
    lsn: int
    committed_at: datetime


def read_pending(warehouse: psycopg.Connection, connector: Connector) -> list[Truncation]:
    """Return a connector's truncations whose rows are not deleted yet, the oldest of each table first."""
    names = [contract.table for contract in contracts_of(connector)]
    with warehouse.cursor(row_factory=class_row(Truncation)) as cursor:
        return cursor.execute(_PENDING, [names]).fetchall()


def close(warehouse: psycopg.Connection, truncation: Truncation, deleted: int) -> None:
    """Record that a truncation is applied, and how many rows it deleted."""
    warehouse.execute(_APPLIED, {**truncation._asdict(), "deleted": deleted})
