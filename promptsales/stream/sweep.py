"""What a new epoch's snapshot left out is gone at the source: deleted once that snapshot is applied."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from promptsales.connections import connected
from promptsales.extract.visible import UNFILTERED, refuse_hidden_table
from promptsales.names import identifier, relation
from promptsales.settings import Settings
from promptsales.specs.stream import Connector, StreamContract, contracts_of
from promptsales.stream.connectors import source_of
from promptsales.stream.repair import Repair, repair
from promptsales.stream.statements import table
from promptsales.stream.version import Version

# a newer epoch may have begun since: its snapshot is not applied yet
_UNSWEPT = "select from ops.connector where connector = %s and epoch = %s and swept_epoch < epoch"
_SWEPT = "update ops.connector set swept_epoch = %s where connector = %s"


def sweep(settings: Settings, warehouse: psycopg.Connection, connector: Connector, epoch: int | None) -> int:
    """Delete what the snapshot of a connector's epoch did not find, once an epoch; how many rows.

    ``epoch`` is the one whose snapshot is known to be applied. Where it is not the newest any more, nothing is done.

    Raises:
        SourceRefused: when the source would not show every row; nothing more is deleted.
        psycopg.Error: as the driver; the next call does it again.
    """
    if epoch is None or warehouse.execute(_UNSWEPT, [connector, epoch]).fetchone() is None:
        return 0
    count = 0
    with connected(settings, source_of(connector)) as source:
        for contract in contracts_of(connector):
            refuse_hidden_table(contract.table, contract.source.relation, source)
            lowest = Version(epoch, 0, 0, is_snapshot=True)
            left = list(_left(warehouse, contract, epoch))
            gone = [Repair(key, None, lowest, _now_us()) for key in _gone(source, contract, left)]
            if gone:
                asyncio.run(repair(settings, contract, gone))
            count += len(gone)
    warehouse.execute(_SWEPT, [epoch, connector])
    return count


def _gone(source: psycopg.Connection, contract: StreamContract, keys: list[Any]) -> list[Any]:
    """The keys that the source does not have now: that a snapshot missed a row does not prove that it was deleted."""
    if not keys:
        return []
    with source.transaction():
        source.execute(UNFILTERED)
        there = {text for (text,) in source.execute(find_existing(contract), [list(map(str, keys))])}
    return [key for key in keys if str(key) not in there]


def find_existing(contract: StreamContract) -> sql.Composed:
    """Compose which of some keys the source has."""
    return sql.SQL("select {key}::text from {relation} where {key} = any(%s::{type}[])").format(
        key=identifier(contract.key_origin),
        relation=relation(contract.source.relation),
        type=sql.SQL(contract.key_type),
    )


def _left(warehouse: psycopg.Connection, contract: StreamContract, epoch: int) -> Iterator[Any]:
    """Keys that are only known from earlier epochs, in the table or in quarantine."""
    return (key for (key,) in warehouse.execute(left(contract, epoch)).fetchall())


def left(contract: StreamContract, epoch: int) -> sql.Composed:
    """Compose the keys that are only known from epochs before this one, in the table or in quarantine."""
    return sql.SQL("""
        with waiting as (
            select key, max((payload->>'src_epoch')::integer) as epoch from ops.quarantine
            where feed = {name} and released_at is null group by key
        )
        select to_jsonb(t.{key}) from {table} t left join waiting w on w.key = t.{key}::text
        where t.src_epoch < {epoch} and not t.is_deleted and coalesce(w.epoch, 0) < {epoch}
        union
        select q.payload->{key_text} from ops.quarantine q join waiting w using (key)
        where q.feed = {name} and q.released_at is null and w.epoch < {epoch}
          and not exists (select from {table} t where t.{key}::text = q.key and t.src_epoch >= {epoch})
    """).format(
        name=sql.Literal(contract.table), key=sql.Identifier(contract.key), key_text=sql.Literal(contract.key),
        table=table(contract), epoch=sql.Literal(epoch),
    )  # fmt: skip


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)
