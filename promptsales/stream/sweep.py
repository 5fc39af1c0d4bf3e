"""Delete rows that a new epoch's snapshot did not contain, once that snapshot is applied."""

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
from promptsales.stream.connectors import audit_of
from promptsales.stream.repair import Repair, repair
from promptsales.stream.statements import table
from promptsales.stream.version import Version

# a newer epoch may have begun whose snapshot is not applied yet
_UNSWEPT = "select from ops.connector where connector = %s and epoch = %s and swept_epoch < epoch"
_SWEPT = "update ops.connector set swept_epoch = %s where connector = %s"


def sweep(settings: Settings, warehouse: psycopg.Connection, connector: Connector, epoch: int | None) -> int:
    """Delete the rows that the snapshot of an epoch did not contain, once per epoch; return how many.

    ``epoch`` is the one whose snapshot is known to be applied. When it is no longer the newest, nothing is deleted.

    Raises:
        SourceRefused: when the source hides rows from us; nothing more is deleted.
        psycopg.Error: as the driver raises it; the next call tries again.
    """
    if epoch is None or warehouse.execute(_UNSWEPT, [connector, epoch]).fetchone() is None:
        return 0
    count = 0
    with connected(settings, audit_of(connector)) as source:
        for contract in contracts_of(connector):
            refuse_hidden_table(contract.table, contract.source.relation, source)
            lowest = Version(epoch, 0, 0, is_snapshot=True)
            leftover_keys = list(_read_leftover_keys(warehouse, contract, epoch))
            gone = [Repair(key, None, lowest, _now_us()) for key in _find_deleted(source, contract, leftover_keys)]
            if gone:
                asyncio.run(repair(settings, contract, gone))
            count += len(gone)
    warehouse.execute(_SWEPT, [epoch, connector])
    return count


def _find_deleted(source: psycopg.Connection, contract: StreamContract, keys: list[Any]) -> list[Any]:
    """Return the keys that the source lacks now: a row missing from a snapshot may still exist."""
    if not keys:
        return []
    with source.transaction():
        source.execute(UNFILTERED)
        existing = {text for (text,) in source.execute(compose_existing_keys(contract), [list(map(str, keys))])}
    return [key for key in keys if str(key) not in existing]


def compose_existing_keys(contract: StreamContract) -> sql.Composed:
    """Compose a query for which of some keys the source has."""
    return sql.SQL("select {key}::text from {relation} where {key} = any(%s::{type}[])").format(
        key=identifier(contract.key_origin),
        relation=relation(contract.source.relation),
        type=sql.SQL(contract.key_type),
    )


def _read_leftover_keys(warehouse: psycopg.Connection, contract: StreamContract, epoch: int) -> Iterator[Any]:
    """Return the keys known from earlier epochs only, in the table or in quarantine."""
    return (key for (key,) in warehouse.execute(compose_leftover_keys(contract, epoch)).fetchall())


def compose_leftover_keys(contract: StreamContract, epoch: int) -> sql.Composed:
    """Compose a query for the keys known from earlier epochs only, in the table or in quarantine."""
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
