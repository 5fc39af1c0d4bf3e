"""The sink applies a batch in one transaction; delivering an event twice or out of order is harmless."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import class_row

from promptsales.erasure.suppression import EXCLUDE_ERASURES
from promptsales.specs.stream import stream_contracts
from promptsales.specs.suite import read_suite
from promptsales.stream import budget_alerts, statements
from promptsales.stream.batch import Batch, Offset, keep_newest, split_into_rounds
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import RowChange
from promptsales.stream.first import place_first_changes
from promptsales.stream.gaps import Gap
from promptsales.stream.known import complete_rows
from promptsales.stream.truncations import NOTE

Cursor = psycopg.AsyncCursor[tuple[Any, ...]]

_encode = msgspec.json.Encoder().encode


class Figure(NamedTuple):
    """The absolute figures of a campaign in a minute or on a day; ``version`` orders two of them."""

    kind: str
    campaign_id: UUID
    starts_at: Any
    impressions: int
    clicks: int
    spend: Decimal
    conversions: int
    version: int


class Applied(NamedTuple):
    """What a batch did: the figures that moved, the number of quarantined rows, and the gaps it found."""

    figures: list[Figure]
    quarantined: int
    gaps: list[Gap]


class Sink:
    """Applies batches on a connection in autocommit that it does not own."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], minutes_days: int) -> None:
        self._connection, self._minutes_days = connection, minutes_days
        self._totals = statements.read("campaign_totals")
        self._alerts = budget_alerts.DECIDE
        self._offsets = statements.read("offsets")
        self._dead_letters = statements.read("dead_letters")
        self._absent = statements.read("absent")

    async def apply(self, batch: Batch) -> Applied:
        """Apply all of a batch or nothing: rows, history, figures, alerts, quarantine, dead letters and offsets.

        Raises:
            psycopg.Error: as the driver raises it; nothing was applied.
        """
        # in a pipeline a statement waits for PostgreSQL only when its result is read
        async with self._connection.pipeline(), self._connection.transaction():
            await exclude_erasures(self._connection)
            # dead letters first: an event may leave out a value that only a dead event carried
            for letter in batch.dead:
                await self._store_dead_letter(letter)
            absent = [change for change in batch.changes if change.absent and change.message.partition >= 0]
            merged = []
            batch = await place_first_changes(self._connection, batch)
            for table in batch.tables():
                batch = await self._complete(batch, table)
                if changes := batch.changes_to_merge(table):
                    merged.append(await self._merge(table, changes))
            kept = [
                await self._quarantine(table, bad)
                for table in batch.tables()
                if (bad := batch.changes_to_quarantine(table))
            ]
            figures = [Figure(*row) for cursor in merged if cursor for row in await cursor.fetchall()]
            await self._total([f for f in figures if f.kind == "moved"], _changed_campaigns(batch))
            for truncation in batch.truncations:
                await self._connection.execute(NOTE, truncation._asdict())
            gaps = await self._move(batch.offsets) if batch.offsets else []
            if absent:
                await self._mark(absent)
        return Applied([f for f in figures if f.kind != "moved"], sum(cursor.rowcount for cursor in kept), gaps)

    async def _complete(self, batch: Batch, table: str) -> Batch:
        """Complete rows whose events leave out values, before anything of the table is locked."""
        mine = [change for change in batch.changes if change.table == table]
        if not any(change.left_out for change in mine):
            return batch
        others = [change for change in batch.changes if change.table != table]
        return batch._replace(changes=(*others, *await complete_rows(self._connection, table, mine)))

    async def _move(self, offsets: Sequence[Offset]) -> list[Gap]:
        """Move the offsets, and return the gaps before them."""
        rows = _encode([offset._asdict() for offset in offsets]).decode()
        async with self._connection.cursor(row_factory=class_row(Gap)) as cursor:
            return await (await cursor.execute(self._offsets, {"offsets": rows})).fetchall()

    async def _mark(self, changes: Sequence[RowChange]) -> None:
        """Mark the tables whose events have no field for a column."""
        rows = [
            {"topic": at.topic, "partition": at.partition, "message_offset": at.offset, "name": name}
            for at, names in ((change.message, change.absent) for change in changes)
            for name in names
        ]
        await self._connection.execute(self._absent, {"absent": _encode(rows).decode()})

    async def _merge(self, table: str, changes: list[RowChange]) -> Cursor | None:
        """Merge a table's rows; return a cursor over the figures that moved if this table moves them."""
        newest = keep_newest(changes)
        figures = None
        if stream_contracts()[table].history:
            for versions in split_into_rounds(changes):
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

    async def _quarantine(self, table: str, changes: list[RowChange]) -> Cursor:
        broken = [
            {"key": str(change.key), "rules": change.broken, "missing": _unknown_columns(change.row)}
            for change in changes
        ]
        values = {
            **_rows(changes),
            "broken": _encode(broken).decode(),
            "suite_checksum": read_suite(stream_contracts()[table]).checksum,
        }
        return await self._connection.execute(statements.quarantine(table), values)

    async def _total(self, moved: Sequence[Figure], budgets: Iterable[UUID]) -> None:
        """Move totals and compare them with budgets for the same campaigns, locked in order."""
        nothing = {"impressions": 0, "clicks": 0, "spend": Decimal(0), "conversions": 0}
        totals = {campaign: {"campaign_id": campaign, **nothing} for campaign in budgets}
        for figure in moved:
            totals[figure.campaign_id] = figure._asdict()
        if totals:
            await self._connection.execute(self._totals, {"totals": _encode(list(totals.values())).decode()})
            await self._connection.execute(self._alerts, {"campaigns": list(totals)})

    async def _store_dead_letter(self, letter: DeadLetter) -> None:
        await self._connection.execute(self._dead_letters, {**letter.message._asdict(), "reason": letter.reason})


async def exclude_erasures(connection: psycopg.AsyncConnection[Any]) -> None:
    """Wait until no erasure runs, and block new ones until the transaction ends; call it before any row is locked.

    Raises:
        psycopg.errors.LockNotAvailable: when an erasure takes longer than the lock timeout.
    """
    for statement in EXCLUDE_ERASURES:
        await connection.execute(statement)


def _rows(changes: Sequence[RowChange]) -> dict[str, Any]:
    return {"rows": _encode([change.row for change in changes]).decode()}


def _unknown_columns(row: Any) -> list[str]:
    """Return the columns whose values are unknown."""
    return [name for name in row.__struct_fields__ if getattr(row, name) is msgspec.UNSET]


def _changed_campaigns(batch: Batch) -> set[UUID]:
    """Return the campaigns whose budget may have changed."""
    return {change.key for change in batch.changes_to_merge("campaigns")}
