"""The stream's last hours against their source, hour by hour; what differs twice, all being applied, is repaired.

Hours are those of `updated_at`. Rows of hours whose counts or sums differ are compared one by one. Core is read before
the source: so what the source says is never older than what core knows.
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
from promptsales.stream.absent_columns import refuse_gone
from promptsales.stream.compare import Found
from promptsales.stream.judge_again import judge_again
from promptsales.stream.repair import Repair, repair
from promptsales.stream.version import Version

PATIENCE_S = 120
# a row as the warehouse has it, and as the source has it
Pair = tuple[Found | None, Found | None]

_COMPLETE = "select complete_through from ops.feed where feed = %s"
_LAST = "select max(complete_through) from ops.reconciliation where feed = %s and not is_whole"
# a row must not be older than the last TRUNCATE, or the sink leaves it out
_LOWEST = """
    select c.epoch, coalesce(t.src_commit, 0), coalesce(t.src_lsn, 0), t.src_lsn is null
    from ops.connector c left join lateral (
        select src_commit, src_lsn from ops.truncation where feed = %s and src_epoch = c.epoch
        order by src_commit desc, src_lsn desc limit 1
    ) t on true
    where c.connector = %s
"""


class Audited(NamedTuple):
    """What a comparison found; ``hours`` are those that were compared, the counts are of rows that were repaired.

    ``set_aside`` has the keys of rows that the table cannot hold, each with the rule by which it is in quarantine;
    ``left`` the keys of those that differ still. ``freed`` rows left quarantine, as they keep the rules now.
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
        """Rows that were not as the source has them."""
        return self.gone + self.missing + self.differing


class Mended(NamedTuple):
    """What became of rows that differed: the kinds of those repaired, and the keys of the others."""

    kinds: list[str]
    set_aside: tuple[tuple[str, str], ...]
    left: tuple[str, ...]


def audit(
    settings: Settings,
    contract: StreamContract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    back: timedelta,
) -> Audited:
    """Compare and repair the hours that ended within ``back`` before the table's `complete_through`, or the last audit.

    Before that, what is in quarantine is judged again.

    Raises:
        SourceRefused: when the source would not show every row, or lacks a column that the contract names.
        TransientError: when the stream does not get on, so that nothing can be compared.
    """
    source.execute("set row_security = off")
    refuse_gone(source, contract)
    refuse_hidden_table(contract.table, contract.source.relation, source)
    compare.prepare(source, warehouse)
    freed = judge_again(settings, contract, warehouse)
    until = complete_or_fail(warehouse, contract)
    window = {"since": _last(warehouse, contract, until) - back, "until": until}
    ours, theirs = compare.hours(contract, warehouse, window), compare.source_hours(contract, source, window)
    unequal = sorted(hour for hour in ours.keys() | theirs.keys() if ours.get(hour) != theirs.get(hour))
    mended = _mend(settings, contract, source, warehouse, unequal) if unequal else Mended([], (), ())
    return Audited(
        until,
        sum(figures[0] for figures in theirs.values()),
        sum(figures[0] for figures in ours.values()),
        len(ours.keys() | theirs.keys()),
        len(unequal),
        gone=mended.kinds.count("gone"),
        missing=mended.kinds.count("missing"),
        differing=mended.kinds.count("differing"),
        set_aside=mended.set_aside,
        left=mended.left,
        freed=freed,
    )


def complete(warehouse: psycopg.Connection, contract: StreamContract) -> datetime | None:
    """Return how far a table is complete; None where nothing of it was ever applied."""
    row = warehouse.execute(_COMPLETE, [contract.table]).fetchone()
    return row[0] if row else None


def complete_or_fail(warehouse: psycopg.Connection, contract: StreamContract) -> datetime:
    """Return how far a table is complete.

    Raises:
        TransientError: when nothing of it was ever applied.
    """
    found = complete(warehouse, contract)
    if found is None:
        raise TransientError(f"{contract.table}: nothing is applied yet; `promptsales connectors status` says why")
    return found


def _last(warehouse: psycopg.Connection, contract: StreamContract, until: datetime) -> datetime:
    """Until when the table was audited: hours for which no audit ran are not to be left out."""
    row = warehouse.execute(_LAST, [contract.table]).fetchone()
    return min(until, row[0]) if row and row[0] else until


def _mend(
    settings: Settings,
    contract: StreamContract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    unequal: list[datetime],
) -> Mended:
    """Repair the rows of unequal hours, and see what came of it."""
    return mend(settings, contract, warehouse, _differing(contract, source, warehouse, unequal))


def mend(
    settings: Settings, contract: StreamContract, warehouse: psycopg.Connection, differing: Mapping[str, Pair]
) -> Mended:
    """Repair rows that differ, and see what came of it."""
    if not differing:
        return Mended([], (), ())
    repairs = _repairs(contract, warehouse, differing)
    refused = asyncio.run(repair(settings, contract, list(repairs.values())))
    texts = {one.key: text for text, one in repairs.items()}
    set_aside = {texts[one.repair.key]: one.rule for one in refused}
    now = compare.rows(contract, warehouse, list(repairs))
    done = [key for key, one in repairs.items() if key not in set_aside and _values(now.get(key)) == one.values]
    left = [key for key in repairs.keys() - done - set_aside.keys() if not _is_newer(now.get(key), repairs[key])]
    return Mended([_kind(differing[key]) for key in done], tuple(sorted(set_aside.items())), tuple(sorted(left)))


def _differing(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, unequal: list[datetime]
) -> Mapping[str, Pair]:
    """Rows that differ, and still do when all that was written by then is applied: no change on its way explains it."""
    first = differences(contract, source, warehouse, compare.keys(contract, source, warehouse, unequal))
    if not first:
        return {}
    wait_for(lambda: complete_or_fail(warehouse, contract), datetime.now(UTC))
    second = differences(contract, source, warehouse, list(first))
    return {key: found for key, found in second.items() if found == first[key]}


def _repairs(
    contract: StreamContract, warehouse: psycopg.Connection, differing: Mapping[str, Pair]
) -> dict[str, Repair]:
    known = warehouse.execute(_LOWEST, [contract.table, contract.source.system]).fetchone()
    lowest = Version(*known) if known else Version(1, 0, 0, is_snapshot=True)
    at_us = int(datetime.now(UTC).timestamp() * 1_000_000)
    return {key: _repair_of(pair, lowest, at_us) for key, pair in differing.items()}


def wait_for(reached: Callable[[], datetime], moment: datetime) -> None:
    """Wait until a table is complete through a moment.

    Raises:
        TransientError: when it does not get there.
    """
    end = time.monotonic() + PATIENCE_S
    while reached() < moment:
        if time.monotonic() > end:
            raise TransientError(f"the stream is complete through {reached()} only; `promptsales status` says why")
        time.sleep(1)


def differences(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, keys: list[str]
) -> Mapping[str, Pair]:
    """Of some keys those whose rows differ: as the warehouse has them, and as the source has them."""
    ours = compare.rows(contract, warehouse, keys)
    theirs = compare.source_rows(contract, source, keys)
    pairs = {key: (ours.get(key), theirs.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if _values(pair[0]) != _values(pair[1])}


def _values(found: Found | None) -> str | None:
    return found.values if found else None


def _kind(pair: Pair) -> str:
    ours, theirs = pair
    return "gone" if theirs is None else "missing" if _values(ours) is None else "differing"


def _repair_of(pair: Pair, lowest: Version, at_us: int) -> Repair:
    ours, theirs = pair
    known = theirs or ours
    assert known is not None  # noqa: S101 - a pair of nothing does not differ
    return Repair(known.key, theirs.row if theirs else None, (ours and ours.version) or lowest, at_us, _values(theirs))


def _is_newer(found: Found | None, one: Repair) -> bool:
    """Whether a change has come since the row was compared: then nothing was to be repaired any more."""
    return found is not None and found.version is not None and found.version.rank > one.version.rank
