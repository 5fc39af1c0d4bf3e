"""Place the changes of the first transaction after a snapshot: Debezium names no commit before them.

Such a change may lie before the snapshot in the log although it was committed after it; on the bus it comes after the
row that the snapshot read. It is therefore placed at the commit of the newest known version of its row, if that is
later than its own position. An event that Kafka delivers again was placed before, and must not rise above a later
snapshot of its epoch: its offset is applied already, and its row is known under its epoch.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from promptsales.specs.stream import stream_contracts
from promptsales.stream.batch import Batch
from promptsales.stream.decode import RowChange
from promptsales.stream.statements import table
from promptsales.stream.version import TYPED, Rank, Version, version_of

_APPLIED = "select partition, next_offset from ops.stream_offset where topic = %s"


async def place_first_changes(connection: psycopg.AsyncConnection[Any], batch: Batch) -> Batch:
    """Return the batch with every change placed in the order of commits.

    Raises:
        psycopg.Error: as the driver.
    """
    if not any(change.is_first for change in batch.changes):
        return batch
    changes: list[RowChange] = []
    for name in batch.tables():
        mine = [change for change in batch.changes if change.table == name]
        changes += await _place_in_table(connection, name, mine)
    return batch._replace(changes=tuple(changes))


async def _place_in_table(
    connection: psycopg.AsyncConnection[Any], name: str, changes: Sequence[RowChange]
) -> Sequence[RowChange]:
    keys = sorted({str(change.key) for change in changes if change.is_first})
    if not keys:
        return changes
    cursor = await connection.execute(_APPLIED, [stream_contracts()[name].topic])
    applied: dict[int, int] = dict(await cursor.fetchall())
    cursor = await connection.execute(_compose_known_versions(name), {"keys": keys})
    newest: dict[str, Rank] = {}
    for key, *version in await cursor.fetchall():
        _note_newest(newest, key, Version(*version).rank)
    return list(_in_order(changes, newest, applied))


def _in_order(changes: Sequence[RowChange], newest: dict[str, Rank], applied: dict[int, int]) -> Iterator[RowChange]:
    before = dict(newest)
    for change in changes:
        key = str(change.key)
        if change.is_first and not _is_applied(change, before.get(key), applied):
            change = _raise_commit(change, newest.get(key))
        _note_newest(newest, key, change.version)
        yield change


def _is_applied(change: RowChange, known: Rank | None, applied: dict[int, int]) -> bool:
    """Return whether the change was applied before; offsets alone do not tell, as a recreated topic repeats them."""
    is_known = known is not None and known.epoch >= change.version.epoch
    return is_known and change.message.offset < applied.get(change.message.partition, 0)


def _raise_commit(change: RowChange, base: Rank | None) -> RowChange:
    """Return a change placed behind the known version of its row; the original may be applied again unchanged."""
    own = change.version
    if base is None or base.epoch != own.epoch or base.commit <= own.commit:
        return change
    row = msgspec.structs.replace(change.row, src_commit=base.commit)
    return change._replace(row=row, version=own._replace(commit=base.commit))


def _note_newest(newest: dict[str, Rank], key: str, rank: Rank) -> None:
    newest[key] = max(rank, newest.get(key, rank))


@cache
def _compose_known_versions(name: str) -> bytes:
    """Compose a query for the versions of some keys in the table and in quarantine."""
    contract = stream_contracts()[name]
    return (
        sql.SQL("""
        select t.{key}::text, {of_table} from {table} t where t.{key} = any(%(keys)s::{type}[])
        union all
        select q.key, {of_payload} from ops.quarantine q cross join lateral jsonb_to_record(q.payload) as x({typed})
        where q.feed = {name} and q.key = any(%(keys)s::text[]) and q.released_at is null
    """)
        .format(
            key=sql.Identifier(contract.key), of_table=version_of("t"), table=table(contract), typed=TYPED,
            type=sql.SQL(contract.key_type), of_payload=version_of("x"), name=sql.Literal(name),
        )
        .as_bytes()
    )  # fmt: skip
