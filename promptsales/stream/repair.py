"""Rows that are not as the source has them, brought in by the stream's own sink: minutes, alerts and history follow.

A repair has the version of what it replaces, or the lowest of all where there is nothing: any real change, even one
that is still on its way, wins over it. A row that the table cannot hold is set aside in quarantine, the others go on.
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
from promptsales.stream.decode import Change, Decoder
from promptsales.stream.known import as_message
from promptsales.stream.sink import Sink, exclude_erasures
from promptsales.stream.statements import table
from promptsales.stream.version import RANK_OF_PARAMETERS, Version, rank_of

_UNREADABLE = "value_unreadable"
# what a row is refused for, by SQLSTATE; anything else its values can be refused for has one name
_RULES = {"22001": "value_too_long", "22003": "value_out_of_range", "22008": "value_out_of_range"}
_REFUSED = "value_refused"
# the rules of rows that their table cannot hold
REFUSED = frozenset({_UNREADABLE, _REFUSED, *_RULES.values()})


class Repair(NamedTuple):
    """One row as the source has it, under its names there; None where it is gone. ``at_us`` is when that was read.

    ``values`` is the row as JSON under the warehouse's names: what is set aside when the table cannot hold it.
    Times may lie up to ``judged_at``; where there is none, up to when the row was read.
    """

    key: Any
    row: Mapping[str, Any] | None
    version: Version
    at_us: int
    values: str | None = None
    judged_at: datetime | None = None


class SetAside(NamedTuple):
    """A row that the table cannot hold, and the rule by which it is in quarantine."""

    repair: Repair
    rule: str


async def repair(settings: Settings, contract: StreamContract, repairs: Sequence[Repair]) -> list[SetAside]:
    """Apply repairs, all in one transaction where none is refused; a row that changed since is left alone.

    Returns:
        Those that were set aside.

    Raises:
        psycopg.Error: as the driver, for what is no row's fault.
    """
    async with await open_async(settings, "warehouse") as warehouse:
        mending = _Mending(contract, warehouse, settings.stream_minutes_days)
        refused = await mending.apply(repairs)
        for one in refused:
            await mending.set_aside(one)
    return refused


class _Mending:
    """Applies repairs of one table on a connection that it is lent, in autocommit."""

    def __init__(self, contract: StreamContract, warehouse: psycopg.AsyncConnection[Any], minutes_days: int) -> None:
        self._contract, self._warehouse = contract, warehouse
        self._decoder = Decoder(contract, may_be_cut=False)
        self._sink = Sink(warehouse, minutes_days)

    async def apply(self, repairs: Sequence[Repair]) -> list[SetAside]:
        """Apply what can be read and is not refused; the others."""
        changes = [change_of(self._decoder, one) for one in repairs]
        pairs = [(one, change) for one, change in zip(repairs, changes, strict=True) if change]
        unreadable = [
            SetAside(one, _UNREADABLE) for one, change in zip(repairs, changes, strict=True) if change is None
        ]
        return unreadable + await self._apply(pairs)

    async def _apply(self, pairs: Sequence[tuple[Repair, Change]]) -> list[SetAside]:
        """Apply them together; where that is refused halve them, until what is left is the one to blame."""
        try:
            async with self._warehouse.transaction():
                await exclude_erasures(self._warehouse)
                await self._make_way([one for one, _ in pairs])
                await self._sink.apply(Batch(tuple(change for _, change in pairs), (), ()))
        except ROW_REFUSED as error:
            if len(pairs) == 1:
                return [SetAside(pairs[0][0], _RULES.get(error.sqlstate or "", _REFUSED))]
            middle = len(pairs) // 2
            return await self._apply(pairs[:middle]) + await self._apply(pairs[middle:])
        return []

    async def _make_way(self, repairs: Sequence[Repair]) -> None:
        """The same version does not replace itself: step back by one where it still is that one.

        The order is that in which the sink locks: rows by their keys, then quarantine.
        """
        async with self._warehouse.pipeline():
            for statement in (make_way(self._contract), make_way_in_quarantine(self._contract)):
                for one in sorted(repairs, key=lambda one: one.key):
                    await self._warehouse.execute(statement, {"key": one.key, **one.version._asdict()})

    async def set_aside(self, refused: SetAside) -> None:
        """Keep a row in quarantine, unless it has changed since."""
        one = refused.repair
        if one.values is None:
            raise TypeError(f"{self._contract.table}: a row without values was refused: {refused.rule}")
        values = {
            "key": one.key,
            "rule": refused.rule,
            "suite_checksum": read_suite(self._contract).checksum,
            "values": one.values,
            **one.version._asdict(),
        }
        async with self._warehouse.transaction():
            await exclude_erasures(self._warehouse)
            await self._warehouse.execute(statements.set_aside(self._contract.table), values)


def change_of(decoder: Decoder, one: Repair) -> Change | None:
    """A repair as the change it stands for; None when the decoder cannot read its row."""
    message = as_message(decoder.contract, one.key, one.row, **one.version._asdict(), at_us=one.at_us)
    found = decoder.decode(message)
    if not isinstance(found, Change):
        return None
    # a delete, too, has the version of what it replaces
    found.row.src_is_snapshot, found.row.src_commit = one.version.is_snapshot, one.version.commit
    found = found._replace(version=one.version.rank)
    if one.judged_at is None or found.left_out or found.row.is_deleted:
        return found
    return found._replace(broken=decoder.judge.broken(found.row, one.judged_at))


def make_way(contract: StreamContract) -> sql.Composed:
    """Let a row of the table be replaced by the same version, where it still has that one."""
    return sql.SQL("""
        update {table} t set src_lsn = src_lsn - 1 where {key} = %(key)s::{type} and {rank} = {given}
    """).format(
        table=table(contract), key=sql.Identifier(contract.key), type=sql.SQL(contract.key_type), rank=rank_of("t"),
        given=RANK_OF_PARAMETERS,
    )  # fmt: skip


def make_way_in_quarantine(contract: StreamContract) -> sql.Composed:
    """Let a payload in quarantine be replaced by the same version, where it still has that one."""
    return sql.SQL("""
        update ops.quarantine q set payload = payload || jsonb_build_object('src_lsn', %(lsn)s::bigint - 1)
        where feed = {name} and key = (%(key)s::{type})::text and released_at is null
          and {held_rank} = {given}
    """).format(
        name=sql.Literal(contract.table), type=sql.SQL(contract.key_type), held_rank=statements.HELD_RANK,
        given=RANK_OF_PARAMETERS,
    )  # fmt: skip
