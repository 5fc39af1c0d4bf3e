"""Reconcile a feed: compare it, then soft-delete rows, request rereads and record the result in one transaction."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from promptsales.errors import BatchBlocked, driver_errors
from promptsales.extract import delta
from promptsales.extract.sources import Source, make_reader
from promptsales.feeds.reader import Reader
from promptsales.feeds.state import statement
from promptsales.hashing.keys import CheckedKey
from promptsales.load.merge import soft_delete
from promptsales.quality.verdict import Verdict, record
from promptsales.reconcile.compare import Comparison, Total, compare
from promptsales.reconcile.original import Original, make_original
from promptsales.reconcile.statements import BUCKETS
from promptsales.settings import Limits
from promptsales.specs.feed import Contract
from promptsales.specs.stream import StreamContract
from promptsales.specs.suite import Expectation, Meta

SQL = Path(__file__).parent


class Reconciliation(NamedTuple):
    """The result of a reconciliation, with the columns of ``ops.reconciliation``."""

    feed: str
    complete_through: Any
    source_rows: int
    warehouse_rows: int
    buckets: int
    unequal_buckets: int
    gone: int
    deleted: int
    missing: int
    differing: int
    silent: int
    pending: int
    extraction: int | None

    @property
    def to_reread(self) -> int:
        """How many rows the next load reads again, whatever their cursor is."""
        return self.missing + self.differing + self.silent

    @property
    def has_changed(self) -> bool:
        """Whether the warehouse differed from the source."""
        return self.deleted > 0 or self.to_reread > 0


@cache
def _statement(name: str) -> bytes:
    return (SQL / f"{name}.sql").read_bytes()


def reconcile(
    contract: Contract,
    source: Source,
    warehouse: psycopg.Connection,
    triggered_by: str,
    limits: Limits,
    accept_gone: bool = False,
) -> Reconciliation | None:
    """Compare a feed with its source, soft-delete the rows that are gone, and have the next load reread wrong rows.

    A second call finds nothing to do. Loads may run at the same time: a soft-delete gets a version above that of every
    load that has begun, so such a load cannot restore the row.

    Args:
        contract: the feed; it must be comparable.
        source: the system to read: a connection whose role may read the hashing view, or see `Source`.
        warehouse: a connection to the warehouse as its loader.
        triggered_by: the run or command that reconciles, for the record.
        limits: how many missing rows mean a fault at the source, such as an emptied table or a wrong server.
        accept_gone: soft-delete the rows although there are more than the limits allow.

    Returns:
        The result; None for a feed that was never loaded.

    Raises:
        ConfigError: when the feed cannot be compared.
        SourceRefused: when the source has drifted, or hashes with another key.
        BatchBlocked: when more rows are gone than the limits allow; nothing is deleted, everything else is done.
        TransientError: when a connection is lost.
    """
    original = make_original(contract, source)
    with driver_errors(f"reconcile {contract.table}"):
        warehouse.autocommit = True
        _refuse_other_text(contract, make_reader(contract, source), warehouse)
        comparison = compare(contract, original, warehouse)
        if comparison is None:
            return None
        is_allowed = accept_gone or not limits.are_exceeded(comparison.counts["gone"], comparison.warehouse_rows)
        result = _settle(contract, original, warehouse, comparison, triggered_by, is_allowed)
    if not is_allowed:
        raise make_gone_error(f"feed {contract.table}", contract, result.gone, result.warehouse_rows, limits)
    return result


def _refuse_other_text(contract: Contract, reader: Reader, warehouse: psycopg.Connection) -> None:
    """Refuse to compare if the source has drifted or its key has changed, because every row would differ."""
    reader.refuse_drift()
    known = warehouse.execute("select pii_kid, pii_check from ops.feed where feed = %s", [contract.table]).fetchone()
    if known and known[0] is not None:
        delta.refuse_changed_key(contract, reader.read_key(), CheckedKey(known[0], bytes(known[1])))


def make_gone_error(
    name: str, contract: Contract | StreamContract, gone: int, rows: int, limits: Limits
) -> BatchBlocked:
    """Return the error for a table of which too many rows are gone."""
    return BatchBlocked(
        f"{name}: {gone} of {rows} rows are gone at the source, {limits} block a batch; nothing is deleted; "
        f"check {contract.source.relation}, and if it is correct, run "
        f"`promptsales reconcile {contract.table} --accept-gone`"
    )


def record_comparison(
    warehouse: psycopg.Connection, result: Reconciliation, triggered_by: str, compared_at: datetime
) -> None:
    """Append a comparison of all rows to ``ops.reconciliation``."""
    values = {**result._asdict(), "triggered_by": triggered_by, "compared_at": compared_at, "is_whole": True}
    warehouse.execute(statement("record_reconciliation"), values)


def _settle(
    contract: Contract,
    original: Original,
    warehouse: psycopg.Connection,
    comparison: Comparison,
    triggered_by: str,
    may_delete: bool,
) -> Reconciliation:
    with warehouse.transaction():
        # the lock keeps loads from beginning and publishing, so that the next load sees these requests
        (last,) = warehouse.execute(_statement("lock"), {"feed": contract.table}).fetchone() or (0,)
        values = {"feed": contract.table, "read_at": comparison.compared_at, "triggered_by": triggered_by}
        deleted, extraction = (
            _delete(contract, original, warehouse, comparison.gone, values) if may_delete else (0, None)
        )
        rereads = [(contract.table, extraction or last, key, reason) for key, reason in comparison.wrong]
        with warehouse.cursor() as cursor:
            cursor.executemany(_statement("ask"), rereads)
        record(warehouse, contract.table, None, map(_compare_sums, comparison.totals))
        result = _make_result(contract, comparison, deleted, extraction)
        record_comparison(warehouse, result, triggered_by, comparison.compared_at)
    return result


def _compare_sums(total: Total) -> Verdict:
    """Return the verdict on a pair of sums; if they differ, the marts of the feed wait for the next comparison."""
    expectation = Expectation(
        type="expect_sum_to_equal_source",
        kwargs={"column": total.column},
        meta=Meta(rule=f"{total.column}_sum_differs", on_fail="block"),
        description=f"Core and quarantine together add up to the source's {total.column}.",
    )
    is_equal = total.source == total.warehouse
    return Verdict(expectation, is_equal, None, int(not is_equal), [], None)


def _delete(
    contract: Contract,
    original: Original,
    warehouse: psycopg.Connection,
    gone: list[str],
    values: dict[str, Any],
) -> tuple[int, int | None]:
    """Soft-delete the keys that are still gone; return how many they are and the version they got."""
    if not gone:
        return 0, None
    (extraction,) = warehouse.execute(_statement("number"), values).fetchone() or (None,)
    # after the version is taken, so that a row that was inserted again before is not deleted
    existing = original.find_existing(gone)
    values = {**values, "extraction": extraction, "keys": [key for key in gone if key not in existing]}
    (deleted,) = warehouse.execute(soft_delete(contract), values).fetchone() or (0,)
    warehouse.execute(_statement("release"), values)
    warehouse.execute(_statement("judge_again"), values)
    warehouse.execute(_statement("audit"), {**values, "deleted": deleted})
    return len(values["keys"]), extraction


def _make_result(contract: Contract, comparison: Comparison, deleted: int, extraction: int | None) -> Reconciliation:
    counts = comparison.counts
    return Reconciliation(
        feed=contract.table,
        complete_through=comparison.through,
        source_rows=comparison.source_rows,
        warehouse_rows=comparison.warehouse_rows,
        buckets=BUCKETS,
        unequal_buckets=comparison.unequal_buckets,
        gone=counts["gone"],
        deleted=deleted,
        missing=counts["missing"],
        differing=counts["differing"],
        silent=counts["silent"],
        pending=counts["pending"],
        extraction=extraction,
    )
