"""Repair rows that differ from the source, through the stream's sink, so that minutes, alerts and history follow.

A repair has the version of the row it replaces, or the lowest version if there is none. Any real change wins over it,
even one that has not arrived yet. A row that the table cannot store goes to quarantine; the others are applied.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from promptsales.connections import open_async
from promptsales.errors import ROW_REFUSED
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract
from promptsales.specs.suite import read_suite
from promptsales.stream import statements
from promptsales.stream.batch import Batch
from promptsales.stream.decode import Decoder, RowChange
from promptsales.stream.known import build_message
from promptsales.stream.sink import Sink, exclude_erasures
from promptsales.stream.statements import table
from promptsales.stream.version import RANK_OF_PARAMETERS, Version, rank_of

_UNREADABLE = "value_unreadable"
# quarantine rules by SQLSTATE; `_REFUSED` covers all others
_RULES = {"22001": "value_too_long", "22003": "value_out_of_range", "22008": "value_out_of_range"}
_REFUSED = "value_refused"
# rules of rows that their table cannot store
REFUSAL_RULES = frozenset({_UNREADABLE, _REFUSED, *_RULES.values()})


class Repair(NamedTuple):
    """A row as the source has it, under the source's column names; None when the source has no such row.

    ``at_us`` is when it was read, in microseconds since 1970. ``values`` is the row as JSON under the warehouse's
    names, kept in quarantine when the table cannot store it. Times may lie up to ``judged_at``; None stands for
    ``at_us``.
    """

    key: Any
    row: Mapping[str, Any] | None
    version: Version
    at_us: int
    values: str | None = None
    judged_at: datetime | None = None


class SetAside(NamedTuple):
    """A row that the table cannot store, and its quarantine rule."""

    repair: Repair
    rule: str


async def repair(settings: Settings, contract: StreamContract, repairs: Sequence[Repair]) -> list[SetAside]:
    """Apply repairs, in one transaction unless a row is refused; skip rows that changed in the meantime.

    Returns:
        The rows that were set aside.

    Raises:
        psycopg.Error: as the driver raises it, unless a row is the cause.
    """
    async with await open_async(settings, "warehouse") as warehouse:
        repairer = _Repairer(contract, warehouse, settings.stream_minutes_days)
        refused = await repairer.apply(repairs)
        for row in refused:
            await repairer.set_aside(row)
    return refused


class _Repairer:
    """Applies repairs of one table on a connection in autocommit that it does not own."""

    def __init__(self, contract: StreamContract, warehouse: psycopg.AsyncConnection[Any], minutes_days: int) -> None:
        self._contract, self._warehouse = contract, warehouse
        self._decoder = Decoder(contract, may_be_cut=False)
        self._sink = Sink(warehouse, minutes_days)

    async def apply(self, repairs: Sequence[Repair]) -> list[SetAside]:
        """Apply what is readable and not refused; return the other rows."""
        changes = [decode_repair(self._decoder, attempt) for attempt in repairs]
        pairs = [(attempt, change) for attempt, change in zip(repairs, changes, strict=True) if change]
        unreadable = [
            SetAside(attempt, _UNREADABLE) for attempt, change in zip(repairs, changes, strict=True) if change is None
        ]
        return unreadable + await self._apply(pairs)

    async def _apply(self, pairs: Sequence[tuple[Repair, RowChange]]) -> list[SetAside]:
        """Apply repairs together; if that is refused, halve them until the refused row is alone."""
        try:
            async with self._warehouse.transaction():
                await exclude_erasures(self._warehouse)
                await self._make_way([attempt for attempt, _ in pairs])
                await self._sink.apply(Batch(tuple(change for _, change in pairs), (), ()))
        except ROW_REFUSED as error:
            if len(pairs) == 1:
                return [SetAside(pairs[0][0], _RULES.get(error.sqlstate or "", _REFUSED))]
            middle = len(pairs) // 2
            return await self._apply(pairs[:middle]) + await self._apply(pairs[middle:])
        return []

    async def _make_way(self, repairs: Sequence[Repair]) -> None:
        """Lower the stored version by one where it is still that of the repair: an equal version replaces nothing.

        Rows are locked in the sink's order: by key in the table, then in quarantine.
        """
        async with self._warehouse.pipeline():
            for statement in (compose_make_way(self._contract), compose_make_way_in_quarantine(self._contract)):
                for attempt in sorted(repairs, key=lambda attempt: attempt.key):
                    await self._warehouse.execute(statement, {"key": attempt.key, **attempt.version._asdict()})

    async def set_aside(self, refused: SetAside) -> None:
        """Store a row in quarantine unless it has changed in the meantime."""
        attempt = refused.repair
        if attempt.values is None:
            raise TypeError(
                f"{self._contract.table}: a repair without values was refused ({refused.rule}), expected them as JSON"
            )
        values = {
            "key": attempt.key,
            "rule": refused.rule,
            "suite_checksum": read_suite(self._contract).checksum,
            "values": attempt.values,
            **attempt.version._asdict(),
        }
        async with self._warehouse.transaction():
            await exclude_erasures(self._warehouse)
            await self._warehouse.execute(statements.set_aside(self._contract.table), values)


def decode_repair(decoder: Decoder, attempt: Repair) -> RowChange | None:
    """Return a repair as a change; None when the decoder cannot read its row."""
    message = build_message(
        decoder.contract, attempt.key, attempt.row, **attempt.version._asdict(), at_us=attempt.at_us
    )
    change = decoder.decode(message)
    if not isinstance(change, RowChange):
        return None
    # a delete has the version of the row it replaces too
    change.row.src_is_snapshot, change.row.src_commit = attempt.version.is_snapshot, attempt.version.commit
    change = change._replace(version=attempt.version.rank)
    if attempt.judged_at is None or change.left_out or change.row.is_deleted:
        return change
    return change._replace(broken=decoder.judge.find_broken_rules(change.row, attempt.judged_at))


def compose_make_way(contract: StreamContract) -> sql.Composed:
    """Compose a statement that lets a row be replaced by the same version."""
    return sql.SQL("""
        update {table} t set src_lsn = src_lsn - 1 where {key} = %(key)s::{type} and {rank} = {given}
    """).format(
        table=table(contract), key=sql.Identifier(contract.key), type=sql.SQL(contract.key_type), rank=rank_of("t"),
        given=RANK_OF_PARAMETERS,
    )  # fmt: skip


def compose_make_way_in_quarantine(contract: StreamContract) -> sql.Composed:
    """Compose a statement that lets a payload in quarantine be replaced by the same version."""
    return sql.SQL("""
        update ops.quarantine q set payload = payload || jsonb_build_object('src_lsn', %(lsn)s::bigint - 1)
        where feed = {name} and key = (%(key)s::{type})::text and released_at is null
          and {held_rank} = {given}
    """).format(
        name=sql.Literal(contract.table), type=sql.SQL(contract.key_type), held_rank=statements.HELD_RANK,
        given=RANK_OF_PARAMETERS,
    )  # fmt: skip
