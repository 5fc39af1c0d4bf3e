"""Comparing a feed with its source: bucket by bucket, and row by row only where buckets differ.

Which differences count. The warehouse's snapshot is taken first, with the watermark in it, the source's after it. Every
commit whose rows were stamped before the watermark had happened when the last load read, so a source row whose cursor
lies before the watermark must be in the warehouse as it is. A row at or after it is read by the next load anyway: it is
pending, not wrong; of a collection, the change stream tells which documents those are. A key that the warehouse has was
at the source once; when the later snapshot has it no more, it was deleted in between.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Literal, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from promptsales.reconcile import statements
from promptsales.reconcile.original import Original, Side
from promptsales.reconcile.snapshot import snapshot
from promptsales.specs.feed import Contract

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


class Total(NamedTuple):
    """The sum of a column of money on both sides; only where they can be told to be of the same rows."""

    column: str
    source: Decimal | None
    warehouse: Decimal | None


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
    totals: list[Total]


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


def compare(contract: Contract, original: Original, warehouse: psycopg.Connection) -> Comparison | None:
    """Compare a feed's source with core and quarantine; None for a feed that was never loaded.

    The warehouse must be in autocommit; nothing that is written there or at the source stays.
    """
    with snapshot(warehouse, read_only=not original.is_drawn):
        # in this order: what the warehouse's snapshot has, the source's later one has too, unless it was deleted
        stands = warehouse.execute(_STANDS, [contract.table]).fetchone()
        if stands is None or stands[0] is None:
            return None
        erased = warehouse.execute("select feed, key from ops.suppression").fetchall()
        values: dict[str, object] = {
            "feed": contract.table,
            "suppressed": [key for feed, key in erased if feed == contract.table],
            "erased": [key for _, key in erased],
        }
        with original.side(warehouse, stands[1]) as side:
            return _compared(contract, side, warehouse, {**values, "pending": side.pending}, stands[0])


_STANDS = "select last_sync_timestamp, resume_token::text from ops.feed where feed = %s"


def _compared(
    contract: Contract,
    side: Side,
    warehouse: psycopg.Connection,
    values: dict[str, object],
    through: datetime,
) -> Comparison:
    here = statements.warehouse_rows(contract)
    at_source = _buckets(side.connection, statements.buckets(contract, side.rows), values)
    in_warehouse = _buckets(warehouse, statements.buckets(contract, here), values)
    unequal = [
        bucket for bucket in at_source.keys() | in_warehouse.keys() if at_source.get(bucket) != in_warehouse.get(bucket)
    ]
    (compared_at,) = side.connection.execute("select clock_timestamp()").fetchone() or (through,)
    found = Comparison(
        through=through,
        compared_at=compared_at,
        source_rows=sum(bucket.rows for bucket in at_source.values()),
        warehouse_rows=sum(bucket.rows for bucket in in_warehouse.values()),
        unequal_buckets=len(unequal),
        counts=Counter[Judgement]({"pending": len(side.pending)}),
        gone=[],
        wrong=[],
        totals=[
            Total(
                column,
                _one(side.connection, statements.total(contract, side.rows, column), values),
                _one(warehouse, statements.total(contract, here, column), values),
            )
            for column in (contract.money if side.is_exact else ())
        ],
    )
    if unequal:
        values = {**values, "buckets": unequal}
        _drill(
            found,
            rows_from("source", side.connection, statements.rows_of(contract, side.rows), values),
            rows_from("warehouse", warehouse, statements.rows_of(contract, here), values),
        )
    return found


def _one(connection: psycopg.Connection, query: sql.Composed, values: dict[str, object]) -> Decimal | None:
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def _buckets(connection: psycopg.Connection, query: sql.Composed, values: dict[str, object]) -> dict[int, Bucket]:
    return {bucket: Bucket(rows, int(digests)) for bucket, rows, digests in connection.execute(query, values)}


def rows_from(
    name: str, connection: psycopg.Connection, query: sql.Composed, values: dict[str, object]
) -> Iterator[Row]:
    """Rows from a cursor on the server, so that memory stays flat; both sides may lie on one server."""
    with connection.cursor(f"reconcile_{name}", row_factory=class_row(Row)) as cursor:
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
