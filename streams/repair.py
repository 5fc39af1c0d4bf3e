"""Rows that are not as the source has them, brought in by the stream's own sink: minutes, alerts and history follow.

A repair has the version of what it replaces, or the lowest of all where there is nothing: any real change, even one
that is still on its way, wins over it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from promptsales.settings import Settings
from promptsales.stream_contracts import StreamContract
from streams.batch import Batch
from streams.decode import Change, Decoder, Message
from streams.sink import Sink
from streams.statements import table


class Version(NamedTuple):
    """A row's version in the warehouse."""

    epoch: int
    lsn: int
    is_snapshot: bool


class Repair(NamedTuple):
    """One row as the source has it, under its names there; None where it is gone. ``at_us`` is when that was read."""

    key: Any
    row: Mapping[str, Any] | None
    version: Version
    at_us: int


async def repair(settings: Settings, contract: StreamContract, repairs: Sequence[Repair]) -> None:
    """Apply repairs, all in one transaction; a row that changed since it was compared is left alone.

    Raises:
        psycopg.Error: as the driver; nothing was applied.
    """
    changes = tuple(_change(Decoder(contract), one) for one in repairs)
    address = settings.address("warehouse")
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as warehouse, warehouse.transaction():
        for one in repairs:
            await warehouse.execute(_make_way(contract), {"key": one.key, **one.version._asdict()})
        await Sink(warehouse, settings.stream_minutes_days).apply(Batch(changes, (), ()))


def _change(decoder: Decoder, one: Repair) -> Change:
    contract, is_gone = decoder.contract, one.row is None
    value = {
        "op": "d" if is_gone else "r" if one.version.is_snapshot else "u",
        "before": {contract.key_origin: one.key} if is_gone else None,
        "after": one.row,
        "source": {"lsn": one.version.lsn, "ts_us": one.at_us},
    }
    message = Message(contract.topic, -1, -1, None, json.dumps(value).encode(), one.version.epoch)
    found = decoder.decode(message)
    if not isinstance(found, Change):
        raise TypeError(f"{contract.table}: the source's row cannot be decoded")
    return found


def _make_way(contract: StreamContract) -> sql.Composed:
    """The same version does not replace itself: step back by one, where it still is that one."""
    return sql.SQL("""
        update {table} set src_lsn = src_lsn - 1
        where {key} = %(key)s::{type} and (src_epoch, src_lsn, src_is_snapshot) = (%(epoch)s, %(lsn)s, %(is_snapshot)s)
    """).format(table=table(contract), key=sql.Identifier(contract.key), type=sql.SQL(contract.key_type))
