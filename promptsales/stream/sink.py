"""The sink: one transaction a batch. What is delivered twice or in another order changes nothing it should not."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from promptsales.erasure.suppression import EXCLUDE_ERASURES
from promptsales.specs.stream import stream_contracts
from promptsales.specs.suite import read_suite
from promptsales.stream import statements
from promptsales.stream.batch import Batch, Offset, latest, rounds
from promptsales.stream.decode import Change, DeadLetter
from promptsales.stream.first import placed
from promptsales.stream.gaps import Gap
from promptsales.stream.known import completed
from promptsales.stream.truncations import NOTE

Cursor = psycopg.AsyncCursor[tuple[Any, ...]]

_encode = msgspec.json.Encoder().encode


class Figure(NamedTuple):
    """What a campaign brought in a minute or on a day, absolute; ``version`` tells a newer one from an older."""

    kind: str
    campaign_id: UUID
    starts_at: Any
    impressions: int
    clicks: int
    spend: Decimal
    conversions: int
    version: int


class Applied(NamedTuple):
    """What a batch did: the figures that moved, how many rows it quarantined, and which events are missing."""

    figures: list[Figure]
    quarantined: int
    gaps: list[Gap]


class Sink:
    """Applies batches on a connection that it is lent, in autocommit."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], minutes_days: int) -> None:
        self._connection, self._minutes_days = connection, minutes_days
        self._totals = statements.read("campaign_totals")
        self._alerts = statements.read("budget_alerts")
        self._offsets = statements.read("offsets")
        self._dead_letters = statements.read("dead_letters")
        self._absent = statements.read("absent")

    async def apply(self, batch: Batch) -> Applied:
        """Rows, history, figures, alerts, quarantine, dead letters, truncations and offsets of a batch, or nothing.

        Raises:
            psycopg.Error: as the driver; nothing was applied.
        """
        # a pipeline: PostgreSQL is waited for when an answer is needed, not after each statement
        async with self._connection.pipeline(), self._connection.transaction():
            await exclude_erasures(self._connection)
            # first: an event that leaves out a value may leave out that of a dead one
            for letter in batch.dead:
                await self._bury(letter)
            absent = [change for change in batch.changes if change.absent and change.message.partition >= 0]
            merged = []
            batch = await placed(self._connection, batch)
            for table in batch.tables():
                batch = await self._completed(batch, table)
                if changes := batch.good(table):
                    merged.append(await self._merge(table, changes))
            kept = [await self._quarantine(table, bad) for table in batch.tables() if (bad := batch.bad(table))]
            figures = [Figure(*row) for cursor in merged if cursor for row in await cursor.fetchall()]
            await self._total([f for f in figures if f.kind == "moved"], _budgets(batch))
            for truncation in batch.truncations:
                await self._connection.execute(NOTE, truncation._asdict())
            gaps = await self._move(batch.offsets) if batch.offsets else []
            if absent:
                await self._mark(absent)
        return Applied([f for f in figures if f.kind != "moved"], sum(cursor.rowcount for cursor in kept), gaps)

    async def _completed(self, batch: Batch, table: str) -> Batch:
        """Make a table's rows whole where an event leaves out a value, before anything of the table is locked."""
        mine = [change for change in batch.changes if change.table == table]
        if not any(change.left_out for change in mine):
            return batch
        others = [change for change in batch.changes if change.table != table]
        return batch._replace(changes=(*others, *await completed(self._connection, table, mine)))

    async def _move(self, offsets: Sequence[Offset]) -> list[Gap]:
        """Move the offsets; what is missing before them."""
        rows = _encode([offset._asdict() for offset in offsets]).decode()
        cursor = await self._connection.execute(self._offsets, {"offsets": rows})
        return [Gap(*row) for row in await cursor.fetchall()]

    async def _mark(self, changes: Sequence[Change]) -> None:
        """Mark the tables whose events have no field for a column."""
        rows = [
            {"topic": at.topic, "partition": at.partition, "message_offset": at.offset, "name": name}
            for at, names in ((change.message, change.absent) for change in changes)
            for name in names
        ]
        await self._connection.execute(self._absent, {"absent": _encode(rows).decode()})

    async def _merge(self, table: str, changes: list[Change]) -> Cursor | None:
        """Merge a table's rows; the cursor of the figures that moved, where it is the table that moves them."""
        newest = latest(changes)
        figures = None
        if stream_contracts()[table].history:
            for versions in rounds(changes):
                rows = _rows(versions)
                await self._connection.execute(statements.upsert(table), rows)
                for statement in statements.history(table):
                    await self._connection.execute(statement, rows)
        else:
            values = {**_rows(newest), "minutes_days": self._minutes_days}
            cursor = await self._connection.execute(statements.upsert(table), values)
            figures = cursor if table == statements.FIGURES else None
        await self._connection.execute(statements.release(table), {"keys": [str(change.key) for change in newest]})
        return figures

    async def _quarantine(self, table: str, changes: list[Change]) -> Cursor:
        broken = [
            {"key": str(change.key), "rules": change.broken, "missing": _missing(change.row)} for change in changes
        ]
        values = {
            **_rows(changes),
            "broken": _encode(broken).decode(),
            "suite_checksum": read_suite(stream_contracts()[table]).checksum,
        }
        return await self._connection.execute(statements.quarantine(table), values)

    async def _total(self, moved: Sequence[Figure], budgets: Iterable[UUID]) -> None:
        """Move totals and compare them with budgets, both of the same campaigns, locked in order."""
        nothing = {"impressions": 0, "clicks": 0, "spend": Decimal(0), "conversions": 0}
        totals = {campaign: {"campaign_id": campaign, **nothing} for campaign in budgets}
        for figure in moved:
            totals[figure.campaign_id] = figure._asdict()
        if totals:
            await self._connection.execute(self._totals, {"totals": _encode(list(totals.values())).decode()})
            await self._connection.execute(self._alerts, {"campaigns": list(totals)})

    async def _bury(self, letter: DeadLetter) -> None:
        await self._connection.execute(self._dead_letters, {**letter.message._asdict(), "reason": letter.reason})


async def exclude_erasures(connection: psycopg.AsyncConnection[Any]) -> None:
    """Wait until no person is being erased, and let none be until the transaction ends; before it locks any row.

    Raises:
        psycopg.errors.LockNotAvailable: when an erasure takes longer.
    """
    for statement in EXCLUDE_ERASURES:
        await connection.execute(statement)


def _rows(changes: Sequence[Change]) -> dict[str, Any]:
    return {"rows": _encode([change.row for change in changes]).decode()}


def _missing(row: Any) -> list[str]:
    """The columns that nobody knows."""
    return [name for name in row.__struct_fields__ if getattr(row, name) is msgspec.UNSET]


def _budgets(batch: Batch) -> set[UUID]:
    """Campaigns whose budget may have changed."""
    return {change.key for change in batch.good("campaigns")}
