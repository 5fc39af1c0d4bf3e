"""All of a streamed table against its source: what no event told of, of whatever age, is found and repaired.

The hourly audit compares the last hours only. Here both servers sum digests over buckets of keys, and rows of unequal
buckets are compared one by one. What differs twice, everything written in between being applied, is repaired as the
audit does it, so that a newer event always wins.
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
from promptsales.reconcile.settle import Reconciliation, keep, too_much
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

# rows that are held in memory together
_PIECE = 5_000

Kind = Literal["gone", "missing", "differing"]


class _First(NamedTuple):
    """The first look: at most ``KEPT`` keys that differ, each with its digests; all are counted."""

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
        settings: of the workers, and from where on gone rows look like a fault at the source.
        contract: the table.
        source: a connection as Debezium has it, in autocommit.
        warehouse: the warehouse, as its loader, in autocommit.
        triggered_by: who asked, for the record.
        accept_gone: delete however many rows are gone.

    Returns:
        The result; None for a table of which nothing was ever applied.

    Raises:
        SourceRefused: when the source would not show every row.
        TerminalError: when the table is not published.
        BatchBlocked: when more rows are gone than the limits allow, and none was deleted; or when rows differ still.
        TransientError: when the stream does not get on.
    """
    refuse_unpublished(source, contract)
    source.execute("set row_security = off")
    refuse_hidden_table(contract.table, contract.source.relation, source)
    compare.prepare(source, warehouse)
    sides = Sides(contract, warehouse, source)
    first = _look(sides)
    if first is None:
        return None
    kinds = _confirmed(sides, first)
    gone = sum(kind == "gone" for kind in kinds.values())
    may_delete = accept_gone or not settings.limits.are_exceeded(gone, first.warehouse_rows)
    mended = _repair(settings, sides, [key for key, kind in kinds.items() if may_delete or kind != "gone"])
    result = _result(contract, first, kinds, mended)
    keep(warehouse, result, triggered_by, first.compared_at)
    _follow(settings, contract, warehouse, mended)
    _refuse(contract, first, mended, None if may_delete else (gone, settings.limits))
    return result


def _look(sides: Sides) -> _First | None:
    """Compare buckets, then the rows of those that differ; each side in one snapshot, the warehouse's first."""
    with snapshot(sides.warehouse, read_only=True):
        until = audit.read_complete_through(sides.warehouse, sides.contract)
        if until is None:
            return None
        with snapshot(sides.source, read_only=True):
            ours, theirs = sides.buckets()
            (compared_at,) = sides.source.execute("select clock_timestamp()").fetchone() or (until,)
            unequal = sorted(bucket for bucket in ours.keys() | theirs.keys() if ours.get(bucket) != theirs.get(bucket))
            digests, count = _kept(sides.unequal(unequal)) if unequal else ({}, 0)
    return _First(until, compared_at, _rows(theirs), _rows(ours), len(unequal), digests, count)


def _rows(buckets: Mapping[int, Bucket]) -> int:
    return sum(bucket.rows for bucket in buckets.values())


def _kept(differing: Iterable[tuple[str, Digests]]) -> tuple[dict[str, Digests], int]:
    kept: dict[str, Digests] = {}
    count = 0
    for count, (key, digests) in enumerate(differing, 1):
        if count <= KEPT:
            kept[key] = digests
    return kept, count


def _confirmed(sides: Sides, first: _First) -> Mapping[str, Kind]:
    """Return the keys that differ still, and in the same way, once all that was written by then is applied.

    No change on its way explains them.
    """
    if not first.digests:
        return {}
    audit.wait_until_complete(
        lambda: audit.require_complete_through(sides.warehouse, sides.contract), datetime.now(UTC)
    )
    second = sides.of_keys(list(first.digests))
    return {key: _kind(digests) for key, digests in first.digests.items() if second[key] == digests}


def _kind(digests: Digests) -> Kind:
    ours, theirs = digests
    return "gone" if theirs is None else "missing" if ours is None else "differing"


def _repair(settings: Settings, sides: Sides, keys: list[str]) -> RepairOutcome:
    kinds: list[str] = []
    set_aside: list[tuple[str, str]] = []
    left: list[str] = []
    for start in range(0, len(keys), _PIECE):
        piece = keys[start : start + _PIECE]
        differing = audit.find_differences(sides.contract, sides.source, sides.warehouse, piece)
        mended = audit.repair_differing(settings, sides.contract, sides.warehouse, differing)
        kinds += mended.kinds
        set_aside += mended.set_aside
        left += mended.left
    return RepairOutcome(kinds, tuple(set_aside), tuple(left))


def _result(
    contract: StreamContract, first: _First, kinds: Mapping[str, Kind], mended: RepairOutcome
) -> Reconciliation:
    found = Counter(kinds.values())
    return Reconciliation(
        feed=contract.table,
        complete_through=first.until,
        source_rows=first.source_rows,
        warehouse_rows=first.warehouse_rows,
        buckets=BUCKETS,
        unequal_buckets=first.unequal,
        gone=found["gone"],
        deleted=mended.kinds.count("gone"),
        missing=found["missing"],
        differing=found["differing"],
        silent=0,
        pending=len(first.digests) - len(kinds),
        extraction=None,
    )


def _follow(settings: Settings, contract: StreamContract, warehouse: psycopg.Connection, mended: RepairOutcome) -> None:
    """Count figures anew, as what was wrong in core by itself never moved a minute; name what was set aside."""
    if mended.kinds:
        rebuild(warehouse, settings.stream_minutes_days, EVERY_DAY)
    if mended.set_aside:
        keys = format_keys([f"{key} ({rule})" for key, rule in mended.set_aside])
        log.warning("%s: in quarantine, as the table cannot hold them: %s", contract.table, keys)


def _refuse(contract: StreamContract, first: _First, mended: RepairOutcome, gone: tuple[int, Limits] | None) -> None:
    """Refuse to call a table equal to its source where it is not.

    Raises:
        BatchBlocked: when rows differ still.
    """
    refuse_unrepaired(contract, mended.left)
    if gone:
        raise too_much(f"table {contract.table}", contract, gone[0], first.warehouse_rows, gone[1])
    if more := first.differing - len(first.digests):
        raise BatchBlocked(
            f"{contract.table}: {more} rows differ beyond the {KEPT} that one comparison repairs; "
            f"run `promptsales reconcile {contract.table}` again"
        )
