"""What follows from a comparison: soft-deletes, rows to read again, and the record of it, in one transaction."""

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
from promptsales.load.merge import soft_delete
from promptsales.quality.verdict import Verdict, record
from promptsales.reconcile.compare import Comparison, Total, compare
from promptsales.reconcile.original import Original, original_of
from promptsales.reconcile.statements import BUCKETS
from promptsales.settings import Limits
from promptsales.specs.feed import Contract
from promptsales.specs.stream import StreamContract
from promptsales.specs.suite import Expectation, Meta

SQL = Path(__file__).parent


class Reconciliation(NamedTuple):
    """The result of one feed, as ``ops.reconciliation`` keeps it."""

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
        """Rows that the next load reads again, whatever their cursor says."""
        return self.missing + self.differing + self.silent

    @property
    def has_changed(self) -> bool:
        """Return whether the warehouse was not as the source."""
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
    """Compare a feed with its source, soft-delete what is gone, and ask the next load for what is wrong.

    A second call finds nothing to do. Loads may run meanwhile: a soft-delete has a version of its own, above that of
    every load that has begun, so what such a load read before cannot bring the row back.

    Args:
        contract: the feed; it must be comparable.
        source: the system it reads: for a hashing view a connection of a role that sees it, else see `Source`.
        warehouse: the warehouse, as its loader.
        triggered_by: who asked, for the record.
        limits: from where on gone rows look like a fault at the source (an emptied table, a wrong server).
        accept_gone: delete them all the same.

    Returns:
        The result; None for a feed that was never loaded.

    Raises:
        ConfigError: when the feed cannot be compared.
        SourceRefused: when the source has drifted, or hashes with another key.
        BatchBlocked: when more rows are gone than the limits allow; nothing is deleted, the rest is done.
        TransientError: on a lost connection.
    """
    original = original_of(contract, source)
    with driver_errors(f"reconcile {contract.table}"):
        warehouse.autocommit = True
        _refuse_other_text(contract, make_reader(contract, source), warehouse)
        found = compare(contract, original, warehouse)
        if found is None:
            return None
        is_allowed = accept_gone or not limits.are_exceeded(found.counts["gone"], found.warehouse_rows)
        result = _settle(contract, original, warehouse, found, triggered_by, is_allowed)
    if not is_allowed:
        raise too_much(f"feed {contract.table}", contract, result.gone, result.warehouse_rows, limits)
    return result


def _refuse_other_text(contract: Contract, reader: Reader, warehouse: psycopg.Connection) -> None:
    """Every row would differ where the view has drifted or the key has changed."""
    reader.refuse_drift()
    known = warehouse.execute("select pii_kid, pii_check from ops.feed where feed = %s", [contract.table]).fetchone()
    if known and known[0] is not None:
        delta.refuse_changed_key(contract, reader.read_key(), (known[0], bytes(known[1])))


def too_much(name: str, contract: Contract | StreamContract, gone: int, rows: int, limits: Limits) -> BatchBlocked:
    """Return the error that says so."""
    return BatchBlocked(
        f"{name}: {gone} of {rows} rows are gone at the source, {limits.share:.0%} are allowed; nothing is deleted: "
        f"look at {contract.source.relation}, and if it is right, "
        f"`promptsales reconcile {contract.table} --accept-gone`"
    )


def keep(warehouse: psycopg.Connection, result: Reconciliation, triggered_by: str, compared_at: datetime) -> None:
    """Append a comparison of all rows to ``ops.reconciliation``."""
    values = {**result._asdict(), "triggered_by": triggered_by, "compared_at": compared_at, "is_whole": True}
    warehouse.execute(statement("record_reconciliation"), values)


def _settle(
    contract: Contract,
    original: Original,
    warehouse: psycopg.Connection,
    found: Comparison,
    triggered_by: str,
    may_delete: bool,
) -> Reconciliation:
    with warehouse.transaction():
        # the feed's row is locked: loads neither begin nor publish, so what is asked for here is read by the next one
        (last,) = warehouse.execute(_statement("lock"), {"feed": contract.table}).fetchone() or (0,)
        values = {"feed": contract.table, "read_at": found.compared_at, "triggered_by": triggered_by}
        deleted, extraction = _delete(contract, original, warehouse, found, values) if may_delete else (0, None)
        with warehouse.cursor() as cursor:
            cursor.executemany(
                _statement("ask"), [(contract.table, extraction or last, key, reason) for key, reason in found.wrong]
            )
        record(warehouse, contract.table, None, map(_verdict, found.totals))
        result = _result(contract, found, deleted, extraction)
        keep(warehouse, result, triggered_by, found.compared_at)
    return result


def _verdict(total: Total) -> Verdict:
    """Whether the sums agree; where they do not, marts of the feed wait until it is checked again."""
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
    found: Comparison,
    values: dict[str, Any],
) -> tuple[int, int | None]:
    """Soft-delete what is still gone; the number of keys and the version they got."""
    if not found.gone:
        return 0, None
    (extraction,) = warehouse.execute(_statement("number"), values).fetchone() or (None,)
    # only now that the version is taken: a row that came back meanwhile must live
    back = original.find_existing(found.gone)
    values = {**values, "extraction": extraction, "keys": [key for key in found.gone if key not in back]}
    (deleted,) = warehouse.execute(soft_delete(contract), values).fetchone() or (0,)
    warehouse.execute(_statement("release"), values)
    warehouse.execute(_statement("judge_again"), values)
    warehouse.execute(_statement("audit"), {**values, "deleted": deleted})
    return len(values["keys"]), extraction


def _result(contract: Contract, found: Comparison, deleted: int, extraction: int | None) -> Reconciliation:
    return Reconciliation(
        feed=contract.table,
        complete_through=found.through,
        source_rows=found.source_rows,
        warehouse_rows=found.warehouse_rows,
        buckets=BUCKETS,
        unequal_buckets=found.unequal_buckets,
        gone=found.counts["gone"],
        deleted=deleted,
        missing=found.counts["missing"],
        differing=found.counts["differing"],
        silent=found.counts["silent"],
        pending=found.counts["pending"],
        extraction=extraction,
    )
