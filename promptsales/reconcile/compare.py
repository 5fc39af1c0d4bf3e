"""Compare a feed with its source by buckets of keys, and row by row where buckets differ.

The warehouse's snapshot is taken first, and the watermark is read in it; the source's snapshot is taken afterwards.
All rows stamped before the watermark were visible to the last load. So a source row whose cursor is before the
watermark must be in the warehouse with the same values. A row at or after the watermark is pending, because the next
load reads it anyway; for a collection, the change stream tells which documents are pending. A key of the warehouse
existed at the source once; if the later snapshot does not have it, it was deleted.
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
from psycopg.rows import args_row, class_row

from promptsales.reconcile import statements
from promptsales.reconcile.original import Original, Side
from promptsales.reconcile.snapshot import snapshot
from promptsales.specs.feed import Contract

Reason = Literal["missing", "differing", "silent"]
Judgement = Literal["equal", "pending", "gone", "missing", "differing", "silent"]

# the most keys that a comparison keeps of each kind, which bounds its memory; the next comparison finds the rest
KEPT = 100_000


class ComparedRow(NamedTuple):
    """The key, digest and cursor of a row."""

    key: str
    digest: int
    changed_at: datetime | None


class Bucket(NamedTuple):
    """The number of rows of a bucket of keys, and the sum of their digests."""

    number: int
    rows: int
    digests: Decimal


class Total(NamedTuple):
    """The sum of a money column on both sides, compared only if both sides have the same rows."""

    column: str
    source: Decimal | None
    warehouse: Decimal | None


class Comparison(NamedTuple):
    """The result of a comparison; it counts all keys and names at most ``KEPT`` of each kind."""

    through: datetime
    compared_at: datetime
    source_rows: int
    warehouse_rows: int
    unequal_buckets: int
    counts: Counter[Judgement]
    gone: list[str]
    wrong: list[tuple[str, Reason]]
    totals: list[Total]


def classify(source: ComparedRow | None, warehouse: ComparedRow | None, through: datetime) -> Judgement:
    """Return the judgement on the rows of a key.

    Args:
        source: the row at the source.
        warehouse: the row in core or quarantine.
        through: the watermark in the warehouse's snapshot.
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


def pair_rows(
    source: Iterator[ComparedRow], warehouse: Iterator[ComparedRow]
) -> Iterator[tuple[ComparedRow | None, ComparedRow | None]]:
    """Yield the rows of both sides in pairs by key; both must be in the order of keys."""
    merged = heapq.merge(
        ((row, "source") for row in source), ((row, "warehouse") for row in warehouse), key=lambda item: item[0].key
    )
    for _, group in groupby(merged, key=lambda item: item[0].key):
        sides = {side: row for row, side in group}
        yield sides.get("source"), sides.get("warehouse")


def compare(contract: Contract, original: Original, warehouse: psycopg.Connection) -> Comparison | None:
    """Compare a feed's source with core and quarantine; return None for a feed that was never loaded.

    The warehouse must be in autocommit; everything written there or at the source is rolled back.
    """
    with snapshot(warehouse, read_only=not original.is_staged):
        # the warehouse's snapshot is first, so that a key which the source's later one lacks was deleted
        watermark, resume_token = warehouse.execute(_STANDS, [contract.table]).fetchone() or (None, None)
        if watermark is None:
            return None
        erased = warehouse.execute("select feed, key from ops.suppression").fetchall()
        values: dict[str, object] = {
            "feed": contract.table,
            "suppressed": [key for feed, key in erased if feed == contract.table],
            "erased": [key for _, key in erased],
        }
        with original.open_side(warehouse, resume_token) as side:
            return _compare_side(contract, side, warehouse, {**values, "pending": side.pending}, watermark)


_STANDS = "select last_sync_timestamp, resume_token::text from ops.feed where feed = %s"


def _compare_side(
    contract: Contract,
    side: Side,
    warehouse: psycopg.Connection,
    values: dict[str, object],
    through: datetime,
) -> Comparison:
    warehouse_rows = statements.select_warehouse_rows(contract)
    at_source = read_buckets(side.connection, statements.sum_buckets(contract, side.rows), values)
    in_warehouse = read_buckets(warehouse, statements.sum_buckets(contract, warehouse_rows), values)
    unequal = [
        number for number in at_source.keys() | in_warehouse.keys() if at_source.get(number) != in_warehouse.get(number)
    ]
    (compared_at,) = side.connection.execute("select clock_timestamp()").fetchone() or (through,)
    comparison = Comparison(
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
                _read_sum(side.connection, statements.sum_column(contract, side.rows, column), values),
                _read_sum(warehouse, statements.sum_column(contract, warehouse_rows, column), values),
            )
            for column in (contract.money if side.is_exact else ())
        ],
    )
    if unequal:
        values = {**values, "buckets": unequal}
        _compare_rows(
            comparison,
            stream_rows("source", side.connection, statements.select_digests(contract, side.rows), values),
            stream_rows("warehouse", warehouse, statements.select_digests(contract, warehouse_rows), values),
        )
    return comparison


def _read_sum(connection: psycopg.Connection, query: sql.Composed, values: dict[str, object]) -> Decimal | None:
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def read_buckets(
    connection: psycopg.Connection, query: sql.Composed, values: dict[str, object] | None = None
) -> dict[int, Bucket]:
    """Return the buckets that a query sums, by number."""
    with connection.cursor(row_factory=args_row(Bucket)) as cursor:
        return {bucket.number: bucket for bucket in cursor.execute(query, values)}


def stream_rows(
    name: str, connection: psycopg.Connection, query: sql.Composed, values: dict[str, object]
) -> Iterator[ComparedRow]:
    """Yield rows from a server-side cursor, so that memory stays constant; the name keeps two on a server apart."""
    with connection.cursor(f"reconcile_{name}", row_factory=class_row(ComparedRow)) as cursor:
        cursor.itersize = 10_000
        yield from cursor.execute(query, values)


def _compare_rows(comparison: Comparison, source: Iterator[ComparedRow], warehouse: Iterator[ComparedRow]) -> None:
    """Count the judgements, and add the keys that are gone or wrong to the comparison."""
    gone, wrong = comparison.gone, comparison.wrong
    for left, right in pair_rows(source, warehouse):
        judgement = classify(left, right, comparison.through)
        comparison.counts[judgement] += 1
        if judgement == "gone":
            if right is not None and len(gone) < KEPT:
                gone.append(right.key)
        elif judgement != "equal" and judgement != "pending" and left is not None and len(wrong) < KEPT:
            wrong.append((left.key, judgement))
