"""Comparing a feed with its source: bucket by bucket, and row by row only where buckets differ.

Which differences count. The warehouse's snapshot is taken first, with the watermark in it, the source's after it. Every
commit whose rows were stamped before the watermark had happened when the last load read, so a source row whose cursor
lies before the watermark must be in the warehouse as it is. A row at or after it is read by the next load anyway: it is
pending, not wrong. A key that the warehouse has was at the source once; when the later snapshot has it no more, it was
deleted in between.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Literal, NamedTuple

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.rows import class_row

from promptsales.contracts import Contract
from promptsales.reconcile import statements

Reason = Literal["missing", "differing", "silent"]
Judgement = Literal["equal", "pending", "gone", "missing", "differing", "silent"]

# keys kept of one comparison, so that memory does not grow with what is wrong; the next one finds the rest
KEPT = 100_000


class Row(NamedTuple):
    """One row as it is compared."""

    key: str
    digest: int
    changed_at: datetime | None


class Bucket(NamedTuple):
    """Rows of a bucket, and the sum of their digests."""

    rows: int
    digests: int


class Comparison(NamedTuple):
    """What was found; at most ``KEPT`` keys of each kind are named, all are counted."""

    through: datetime
    compared_at: datetime
    source_rows: int
    warehouse_rows: int
    unequal_buckets: int
    counts: Counter[Judgement]
    gone: list[str]
    wrong: list[tuple[str, Reason]]


def judge(source: Row | None, warehouse: Row | None, through: datetime) -> Judgement:
    """What a pair of rows with one key comes to.

    Args:
        source: the row at the source.
        warehouse: the row in core or quarantine.
        through: the watermark that the warehouse's snapshot held.
    """
    if source is None:
        return "gone"
    if warehouse is not None and source.digest == warehouse.digest:
        return "equal"
    if source.changed_at is not None and source.changed_at >= through:
        return "pending"
    if warehouse is None:
        return "missing"
    return "differing" if _is_newer(source.changed_at, warehouse.changed_at) else "silent"


def _is_newer(source: datetime | None, warehouse: datetime | None) -> bool:
    return source is not None and (warehouse is None or source > warehouse)


def pairs(source: Iterator[Row], warehouse: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """The rows of both sides by key; both must come in the order of keys."""
    merged = heapq.merge(
        ((row, "source") for row in source), ((row, "warehouse") for row in warehouse), key=lambda item: item[0].key
    )
    for _, group in groupby(merged, key=lambda item: item[0].key):
        sides = {side: row for row, side in group}
        yield sides.get("source"), sides.get("warehouse")


def compare(contract: Contract, source: psycopg.Connection, warehouse: psycopg.Connection) -> Comparison | None:
    """Compare a feed's source with core and quarantine; None for a feed that was never loaded.

    Both connections must be in autocommit; neither is written to.
    """
    with _snapshot(warehouse):
        # in this order: what the warehouse's snapshot has, the source's later one has too, unless it was deleted
        through = _watermark(warehouse, contract.table)
        if through is None:
            return None
        suppressed = warehouse.execute("select key from ops.suppression where feed = %s", [contract.table])
        values: dict[str, object] = {"feed": contract.table, "suppressed": [key for (key,) in suppressed]}
        with _snapshot(source):
            return _compared(contract, source, warehouse, values, through)


def _watermark(warehouse: psycopg.Connection, feed: str) -> datetime | None:
    found = warehouse.execute("select last_sync_timestamp from ops.feed where feed = %s", [feed]).fetchone()
    return found[0] if found else None


@contextmanager
def _snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """One snapshot, read only, in which every value reads as on the other server."""
    before = connection.isolation_level, connection.read_only
    connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
    try:
        with connection.transaction():
            connection.execute(statements.same_text)
            yield
    finally:
        if not connection.closed:
            connection.isolation_level, connection.read_only = before


def _compared(
    contract: Contract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    values: dict[str, object],
    through: datetime,
) -> Comparison:
    there, here = statements.source_rows(contract), statements.warehouse_rows(contract)
    at_source = _buckets(source, statements.buckets(contract, there), values)
    in_warehouse = _buckets(warehouse, statements.buckets(contract, here), values)
    unequal = [
        bucket for bucket in at_source.keys() | in_warehouse.keys() if at_source.get(bucket) != in_warehouse.get(bucket)
    ]
    (compared_at,) = source.execute("select clock_timestamp()").fetchone() or (through,)
    found = Comparison(
        through=through,
        compared_at=compared_at,
        source_rows=sum(bucket.rows for bucket in at_source.values()),
        warehouse_rows=sum(bucket.rows for bucket in in_warehouse.values()),
        unequal_buckets=len(unequal),
        counts=Counter(),
        gone=[],
        wrong=[],
    )
    if unequal:
        values = {**values, "buckets": unequal}
        _drill(
            found,
            _rows(source, statements.rows_of(contract, there), values),
            _rows(warehouse, statements.rows_of(contract, here), values),
        )
    return found


def _buckets(connection: psycopg.Connection, query: sql.Composed, values: dict[str, object]) -> dict[int, Bucket]:
    return {bucket: Bucket(rows, int(digests)) for bucket, rows, digests in connection.execute(query, values)}


def _rows(connection: psycopg.Connection, query: sql.Composed, values: dict[str, object]) -> Iterator[Row]:
    """Rows from a cursor on the server, so that memory stays flat."""
    with connection.cursor("reconcile", row_factory=class_row(Row)) as cursor:
        cursor.itersize = 10_000
        yield from cursor.execute(query, values)


def _drill(found: Comparison, source: Iterator[Row], warehouse: Iterator[Row]) -> None:
    for left, right in pairs(source, warehouse):
        judgement = judge(left, right, found.through)
        found.counts[judgement] += 1
        if judgement == "gone":
            if right is not None and len(found.gone) < KEPT:
                found.gone.append(right.key)
        elif judgement != "equal" and judgement != "pending" and left is not None and len(found.wrong) < KEPT:
            found.wrong.append((left.key, judgement))
