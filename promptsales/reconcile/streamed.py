"""Compare a whole streamed table with its source, and repair rows of any age that no event has changed.

The hourly audit compares the last hours only. Here both servers sum digests over buckets of keys, and the rows of
unequal buckets are compared one by one. A row that differs twice, after all events in between were applied, is repaired
in the same way as by the audit, so that a newer event always wins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import psycopg

from promptsales.errors import BatchBlocked
from promptsales.extract.visible import refuse_hidden_table
from promptsales.printable import logger
from promptsales.reconcile.compare import KEPT, Bucket
from promptsales.reconcile.settle import Reconciliation, make_gone_error, record_comparison
from promptsales.reconcile.snapshot import snapshot
from promptsales.reconcile.statements import BUCKETS
from promptsales.reconcile.stream_digests import Digests, Sides
from promptsales.settings import Limits, Settings
from promptsales.specs.stream import StreamContract
from promptsales.stream import audit, compare
from promptsales.stream.audit import RepairOutcome
from promptsales.stream.audit_books import format_keys, refuse_unpublished, refuse_unrepaired
from promptsales.stream.recount import EVERY_DAY, rebuild

log = logger(__name__)

# how many rows are in memory at the same time
_PIECE = 5_000

Kind = Literal["gone", "missing", "differing"]


class _FirstComparison(NamedTuple):
    """The first comparison: the number of keys that differ, and the digests of at most ``KEPT`` of them."""

    until: datetime
    compared_at: datetime
    source_rows: int
    warehouse_rows: int
    unequal: int
    digests: dict[str, Digests]
    differing: int


def reconcile(
    settings: Settings,
    contract: StreamContract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    triggered_by: str,
    accept_gone: bool = False,
) -> Reconciliation | None:
    """Compare every key of a streamed table with its source, repair what differs, and record it.

    Args:
        settings: settings of the workers, and the limits of rows that may be gone.
        contract: the table.
        source: a connection to the source as Debezium's role, in autocommit.
        warehouse: a connection to the warehouse as its loader, in autocommit.
        triggered_by: the run or command that reconciles, for the record.
        accept_gone: delete the rows that are gone although there are more than the limits allow.

    Returns:
        The result; None for a table to which no event was ever applied.

    Raises:
        SourceRefused: when the source hides rows.
        TerminalError: when the table is not published.
        BatchBlocked: when more rows are gone than the limits allow, so none was deleted; or when rows still differ.
        TransientError: when the stream makes no progress.
    """
    refuse_unpublished(source, contract)
    source.execute("set row_security = off")
    refuse_hidden_table(contract.table, contract.source.relation, source)
    compare.prepare(source, warehouse)
    sides = Sides(contract, warehouse, source)
    first = _compare(sides)
    if first is None:
        return None
    kinds = _confirm(sides, first)
    gone = sum(kind == "gone" for kind in kinds.values())
    may_delete = accept_gone or not settings.limits.are_exceeded(gone, first.warehouse_rows)
    repaired = _repair(settings, sides, [key for key, kind in kinds.items() if may_delete or kind != "gone"])
    result = _make_result(contract, first, kinds, repaired)
    record_comparison(warehouse, result, triggered_by, first.compared_at)
    _follow_up(settings, contract, warehouse, repaired)
    _refuse_differences(contract, first, repaired, None if may_delete else (gone, settings.limits))
    return result


def _compare(sides: Sides) -> _FirstComparison | None:
    """Compare buckets, then the rows of unequal buckets, each side in a snapshot; the warehouse's is taken first."""
    with snapshot(sides.warehouse, read_only=True):
        until = audit.read_complete_through(sides.warehouse, sides.contract)
        if until is None:
            return None
        with snapshot(sides.source, read_only=True):
            warehouse, source = sides.read_buckets()
            (compared_at,) = sides.source.execute("select clock_timestamp()").fetchone() or (until,)
            unequal = sorted(
                number for number in warehouse.keys() | source.keys() if warehouse.get(number) != source.get(number)
            )
            digests, count = _keep_first(sides.find_unequal(unequal)) if unequal else ({}, 0)
    return _FirstComparison(
        until, compared_at, _count_rows(source), _count_rows(warehouse), len(unequal), digests, count
    )


def _count_rows(buckets: Mapping[int, Bucket]) -> int:
    return sum(bucket.rows for bucket in buckets.values())


def _keep_first(differing: Iterable[tuple[str, Digests]]) -> tuple[dict[str, Digests], int]:
    """Return the first ``KEPT`` keys with their digests, and how many keys there are."""
    kept: dict[str, Digests] = {}
    count = 0
    for count, (key, digests) in enumerate(differing, 1):
        if count <= KEPT:
            kept[key] = digests
    return kept, count


def _confirm(sides: Sides, first: _FirstComparison) -> Mapping[str, Kind]:
    """Return the keys that have the same different digests after all events up to now are applied.

    So no event that was still on its way explains the difference.
    """
    if not first.digests:
        return {}
    audit.wait_until_complete(
        lambda: audit.require_complete_through(sides.warehouse, sides.contract), datetime.now(UTC)
    )
    second = sides.read_digests(list(first.digests))
    return {key: _kind(digests) for key, digests in first.digests.items() if second[key] == digests}


def _kind(digests: Digests) -> Kind:
    warehouse, source = digests
    return "gone" if source is None else "missing" if warehouse is None else "differing"


def _repair(settings: Settings, sides: Sides, keys: list[str]) -> RepairOutcome:
    kinds: list[str] = []
    set_aside: list[tuple[str, str]] = []
    left: list[str] = []
    for start in range(0, len(keys), _PIECE):
        piece = keys[start : start + _PIECE]
        differing = audit.find_differences(sides.contract, sides.source, sides.warehouse, piece)
        repaired = audit.repair_differing(settings, sides.contract, sides.warehouse, differing)
        kinds += repaired.kinds
        set_aside += repaired.set_aside
        left += repaired.left
    return RepairOutcome(kinds, tuple(set_aside), tuple(left))


def _make_result(
    contract: StreamContract, first: _FirstComparison, kinds: Mapping[str, Kind], repaired: RepairOutcome
) -> Reconciliation:
    counts = Counter(kinds.values())
    return Reconciliation(
        feed=contract.table,
        complete_through=first.until,
        source_rows=first.source_rows,
        warehouse_rows=first.warehouse_rows,
        buckets=BUCKETS,
        unequal_buckets=first.unequal,
        gone=counts["gone"],
        deleted=repaired.kinds.count("gone"),
        missing=counts["missing"],
        differing=counts["differing"],
        silent=0,
        pending=len(first.digests) - len(kinds),
        extraction=None,
    )


def _follow_up(
    settings: Settings, contract: StreamContract, warehouse: psycopg.Connection, repaired: RepairOutcome
) -> None:
    """Recount the minutes and days, because wrong rows of core may never have changed them; log quarantined rows."""
    if repaired.kinds:
        rebuild(warehouse, settings.stream_minutes_days, EVERY_DAY)
    if repaired.set_aside:
        keys = format_keys([f"{key} ({rule})" for key, rule in repaired.set_aside])
        log.warning("%s: in quarantine, as the table cannot hold them: %s", contract.table, keys)


def _refuse_differences(
    contract: StreamContract, first: _FirstComparison, repaired: RepairOutcome, gone: tuple[int, Limits] | None
) -> None:
    """Fail if the table still differs from its source.

    Raises:
        BatchBlocked: when rows still differ.
    """
    refuse_unrepaired(contract, repaired.left)
    if gone:
        raise make_gone_error(f"table {contract.table}", contract, gone[0], first.warehouse_rows, gone[1])
    if more := first.differing - len(first.digests):
        raise BatchBlocked(
            f"table {contract.table}: {more} rows differ beyond the {KEPT} that one comparison repairs; "
            f"run `promptsales reconcile {contract.table}` again"
        )
