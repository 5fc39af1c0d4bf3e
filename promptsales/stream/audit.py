"""Audit the last hours of the stream against the source and repair rows that differ.

Rows are grouped by the hour of `updated_at`. When the counts, sums or hashes of an hour differ, its rows are compared
one by one. A row is repaired only if it still differs after every event written until then is applied. Core is read
before the source, so the source's answer is never older than core's.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg

from promptsales.errors import TransientError
from promptsales.extract.visible import refuse_hidden_table
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract
from promptsales.stream import compare
from promptsales.stream.absent_columns import refuse_missing_columns
from promptsales.stream.compare import SideRow
from promptsales.stream.judge_again import judge_again
from promptsales.stream.repair import Repair, repair
from promptsales.stream.version import Version

PATIENCE_S = 120
# the warehouse's row and the source's row
Pair = tuple[SideRow | None, SideRow | None]

_COMPLETE = "select complete_through from ops.feed where feed = %s"
_LAST = "select max(complete_through) from ops.reconciliation where feed = %s and not is_whole"
# a repair must not be older than the last TRUNCATE, or the sink skips it
_LOWEST = """
    select c.epoch, coalesce(t.src_commit, 0), coalesce(t.src_lsn, 0), t.src_lsn is null
    from ops.connector c left join lateral (
        select src_commit, src_lsn from ops.truncation where feed = %s and src_epoch = c.epoch
        order by src_commit desc, src_lsn desc limit 1
    ) t on true
    where c.connector = %s
"""


class AuditResult(NamedTuple):
    """The result of an audit: ``hours`` were compared; the counts are rows that were repaired.

    ``set_aside`` holds the keys of rows that the table cannot store, each with its quarantine rule. ``left`` holds the
    keys that still differ. ``freed`` is the number of rows that left quarantine because they pass the rules now.
    """

    complete_through: datetime
    source_rows: int
    warehouse_rows: int
    hours: int
    unequal_hours: int
    gone: int
    missing: int
    differing: int
    set_aside: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()
    freed: int = 0

    @property
    def repaired(self) -> int:
        """Return how many rows were repaired."""
        return self.gone + self.missing + self.differing


class RepairOutcome(NamedTuple):
    """The outcome of repairing rows: how each repaired row had differed, and the keys of those not repaired."""

    kinds: list[str]
    set_aside: tuple[tuple[str, str], ...]
    left: tuple[str, ...]


def audit(
    settings: Settings,
    contract: StreamContract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    back: timedelta,
) -> AuditResult:
    """Compare and repair the hours from ``back`` before the last audit until the table's `complete_through`.

    Open quarantine rows are judged again first.

    Raises:
        SourceRefused: when the source hides rows from us, or lacks a column that the contract names.
        TransientError: when the stream makes no progress, so that nothing can be compared.
    """
    source.execute("set row_security = off")
    refuse_missing_columns(source, contract)
    refuse_hidden_table(contract.table, contract.source.relation, source)
    compare.prepare(source, warehouse)
    freed = judge_again(settings, contract, warehouse)
    until = require_complete_through(warehouse, contract)
    window = {"since": _read_last_audit(warehouse, contract, until) - back, "until": until}
    ours = compare.count_by_hour(contract, warehouse, window)
    theirs = compare.count_source_by_hour(contract, source, window)
    unequal = sorted(hour for hour in ours.keys() | theirs.keys() if ours.get(hour) != theirs.get(hour))
    differing = _find_lasting_differences(contract, source, warehouse, unequal) if unequal else {}
    outcome = repair_differing(settings, contract, warehouse, differing)
    return AuditResult(
        until,
        sum(figures[0] for figures in theirs.values()),
        sum(figures[0] for figures in ours.values()),
        len(ours.keys() | theirs.keys()),
        len(unequal),
        gone=outcome.kinds.count("gone"),
        missing=outcome.kinds.count("missing"),
        differing=outcome.kinds.count("differing"),
        set_aside=outcome.set_aside,
        left=outcome.left,
        freed=freed,
    )


def read_complete_through(warehouse: psycopg.Connection, contract: StreamContract) -> datetime | None:
    """Return the time through which a table is complete; None when no event of it was ever applied."""
    row = warehouse.execute(_COMPLETE, [contract.table]).fetchone()
    return row[0] if row else None


def require_complete_through(warehouse: psycopg.Connection, contract: StreamContract) -> datetime:
    """Return the time through which a table is complete.

    Raises:
        TransientError: when no event of it was ever applied.
    """
    moment = read_complete_through(warehouse, contract)
    if moment is None:
        raise TransientError(
            f"{contract.table}: no event has been applied yet; `promptsales connectors status` shows why"
        )
    return moment


def _read_last_audit(warehouse: psycopg.Connection, contract: StreamContract, until: datetime) -> datetime:
    """Return the time through which the table was audited, at most ``until``."""
    row = warehouse.execute(_LAST, [contract.table]).fetchone()
    return min(until, row[0]) if row and row[0] else until


def repair_differing(
    settings: Settings, contract: StreamContract, warehouse: psycopg.Connection, differing: Mapping[str, Pair]
) -> RepairOutcome:
    """Repair rows that differ, and return which are repaired, set aside or still different."""
    if not differing:
        return RepairOutcome([], (), ())
    repairs = _build_repairs(contract, warehouse, differing)
    refused = asyncio.run(repair(settings, contract, list(repairs.values())))
    texts = {attempt.key: text for text, attempt in repairs.items()}
    set_aside = {texts[row.repair.key]: row.rule for row in refused}
    now = compare.read_rows(contract, warehouse, list(repairs))
    done = [key for key, attempt in repairs.items() if key not in set_aside and _values(now.get(key)) == attempt.values]
    left = [key for key in repairs.keys() - done - set_aside.keys() if not _is_newer(now.get(key), repairs[key])]
    return RepairOutcome(
        [_classify(differing[key]) for key in done], tuple(sorted(set_aside.items())), tuple(sorted(left))
    )


def _find_lasting_differences(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, unequal: list[datetime]
) -> Mapping[str, Pair]:
    """Return the rows that still differ once everything written until now is applied."""
    first = find_differences(contract, source, warehouse, compare.read_keys(contract, source, warehouse, unequal))
    if not first:
        return {}
    wait_until_complete(lambda: require_complete_through(warehouse, contract), datetime.now(UTC))
    second = find_differences(contract, source, warehouse, list(first))
    return {key: pair for key, pair in second.items() if pair == first[key]}


def _build_repairs(
    contract: StreamContract, warehouse: psycopg.Connection, differing: Mapping[str, Pair]
) -> dict[str, Repair]:
    known = warehouse.execute(_LOWEST, [contract.table, contract.source.system]).fetchone()
    lowest = Version(*known) if known else Version(1, 0, 0, is_snapshot=True)
    at_us = int(datetime.now(UTC).timestamp() * 1_000_000)
    return {key: _build_repair(pair, lowest, at_us) for key, pair in differing.items()}


def wait_until_complete(reached: Callable[[], datetime], moment: datetime) -> None:
    """Wait until a table is complete through a moment.

    Raises:
        TransientError: when that takes longer than two minutes.
    """
    end = time.monotonic() + PATIENCE_S
    while reached() < moment:
        if time.monotonic() > end:
            raise TransientError(
                f"the stream is complete through {reached()} only, expected {moment}; check it with "
                "`promptsales status`"
            )
        time.sleep(1)


def find_differences(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, keys: list[str]
) -> Mapping[str, Pair]:
    """Return the keys whose rows differ, each with the warehouse's row and the source's row."""
    ours = compare.read_rows(contract, warehouse, keys)
    theirs = compare.read_source_rows(contract, source, keys)
    pairs = {key: (ours.get(key), theirs.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if _values(pair[0]) != _values(pair[1])}


def _values(row: SideRow | None) -> str | None:
    return row.values if row else None


def _classify(pair: Pair) -> str:
    ours, theirs = pair
    return "gone" if theirs is None else "missing" if _values(ours) is None else "differing"


def _build_repair(pair: Pair, lowest: Version, at_us: int) -> Repair:
    ours, theirs = pair
    known = theirs or ours
    assert known is not None  # noqa: S101 - a pair of nothing does not differ
    return Repair(known.key, theirs.row if theirs else None, (ours and ours.version) or lowest, at_us, _values(theirs))


def _is_newer(row: SideRow | None, attempt: Repair) -> bool:
    """Return True if a newer change has arrived since the row was compared, so that no repair is needed."""
    return row is not None and row.version is not None and row.version.rank > attempt.version.rank
