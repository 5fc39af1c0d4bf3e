"""The stream's last hours against their source, hour by hour; what differs twice, all being applied, is repaired.

Hours are those of `updated_at`. Rows of hours whose counts or sums differ are compared one by one. Core is read before
the source: so what the source says is never older than what core knows.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from promptsales.errors import TransientError
from promptsales.settings import Settings
from promptsales.stream_contracts import StreamContract
from streams import compare
from streams.compare import Found
from streams.repair import Repair, Version, repair

PATIENCE_S = 120
_COMPLETE = "select complete_through from ops.feed where feed = %s"
_EPOCH = "select epoch from ops.connector where connector = %s"


class Audited(NamedTuple):
    """What a comparison found; ``hours`` are those that differed, the counts are of rows that were repaired."""

    complete_through: datetime
    source_rows: int
    warehouse_rows: int
    hours: int
    unequal_hours: int
    gone: int
    missing: int
    differing: int

    @property
    def repaired(self) -> int:
        """Rows that were not as the source has them."""
        return self.gone + self.missing + self.differing


def audit(
    settings: Settings,
    contract: StreamContract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    back: timedelta,
) -> Audited:
    """Compare and repair the hours that ended within ``back`` before the table's `complete_through`.

    Raises:
        TransientError: when the stream does not get on, so that nothing can be compared.
    """
    # naive times at the source are UTC, and a time as text must be the same on both sides
    for connection in (source, warehouse):
        connection.execute("set time zone 'UTC'")
    until = _complete(warehouse, contract)
    window = {"since": until - back, "until": until}
    ours, theirs = compare.hours(contract, warehouse, window), compare.source_hours(contract, source, window)
    unequal = sorted(hour for hour in ours.keys() | theirs.keys() if ours.get(hour) != theirs.get(hour))
    repairs: list[tuple[str, Repair]] = []
    if unequal:
        repairs = _to_repair(contract, source, warehouse, unequal)
    if repairs:
        asyncio.run(repair(settings, contract, [one for _, one in repairs]))
    kinds = [kind for kind, _ in repairs]
    return Audited(
        until,
        sum(figures[0] for figures in theirs.values()),
        sum(figures[0] for figures in ours.values()),
        len(ours.keys() | theirs.keys()),
        len(unequal),
        *(kinds.count(kind) for kind in ("gone", "missing", "differing")),
    )


def _complete(warehouse: psycopg.Connection, contract: StreamContract) -> datetime:
    row = warehouse.execute(_COMPLETE, [contract.table]).fetchone()
    if row is None or row[0] is None:
        raise TransientError(f"{contract.table}: nothing is applied yet; `promptsales connectors status` says why")
    found: datetime = row[0]
    return found


def _to_repair(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, unequal: list[datetime]
) -> list[tuple[str, Repair]]:
    """Rows that differ, and still do when all that was written by then is applied: no change on its way explains it."""
    first = _differences(contract, source, warehouse, compare.keys(contract, source, warehouse, unequal))
    if not first:
        return []
    wait_for(lambda: _complete(warehouse, contract), datetime.now(UTC))
    second = _differences(contract, source, warehouse, list(first))
    same = [key for key, found in second.items() if found == first[key]]
    epoch = warehouse.execute(_EPOCH, [contract.source.system]).fetchone()
    lowest = Version(epoch[0] if epoch else 1, 0, True)
    at_us = int(datetime.now(UTC).timestamp() * 1_000_000)
    return [_repair_of(second[key], lowest, at_us) for key in same]


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


def _differences(
    contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection, keys: list[str]
) -> Mapping[str, tuple[Found | None, Found | None]]:
    """Of some keys those whose rows differ: as the warehouse has them, and as the source has them."""
    ours = compare.rows(contract, warehouse, keys)
    theirs = compare.source_rows(contract, source, keys)
    pairs = {key: (ours.get(key), theirs.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if _values(pair[0]) != _values(pair[1])}


def _values(found: Found | None) -> Any:
    return found.values if found else None


def _repair_of(pair: tuple[Found | None, Found | None], lowest: Version, at_us: int) -> tuple[str, Repair]:
    ours, theirs = pair
    kind = "gone" if theirs is None else "missing" if ours is None else "differing"
    known = theirs or ours
    assert known is not None  # noqa: S101 - a pair of nothing does not differ
    return kind, Repair(known.key, theirs.row if theirs else None, (ours and ours.version) or lowest, at_us)
