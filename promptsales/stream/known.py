"""Complete the rows of which an event carries only a part, from the newest known version.

An update leaves out a large value that it does not change, and an event has no field for a column that the source
renamed or dropped. Neither is a null. The newest version may be the table's row, the payload in quarantine, or an
earlier version of the same batch. A value that is unknown even then goes to no column of core: the row goes to
quarantine without it, and the audit reads it from the source.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg import sql

from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.value_limits import TOO_LARGE
from promptsales.stream.absent_columns import NOT_SENT
from promptsales.stream.decode import Decoder, RowChange
from promptsales.stream.messages import Message
from promptsales.stream.sent import compose_missing_columns, compose_payload_columns, compose_sent_row
from promptsales.stream.statements import table
from promptsales.stream.version import Version, version_of

_DEAD = """
    select message_key, max(message_offset), max(dead_at) from ops.dead_letter
    where topic = %s and message_key = any(%s::bytea[]) group by message_key
"""


class Known(NamedTuple):
    """A known version of a row; ``rules`` are those it broke.

    ``at`` is when the warehouse stored it, None while the version is part of the current batch.
    """

    change: RowChange
    at: datetime | None
    rules: Sequence[str] = ()


class _Dead(NamedTuple):
    """The last dead letter of a key."""

    offset: int
    at: datetime


@cache
def decoder_of(name: str) -> Decoder:
    """Return the decoder of a table."""
    return Decoder(stream_contracts()[name], may_be_cut=False)


async def complete_rows(
    connection: psycopg.AsyncConnection[Any], name: str, changes: Sequence[RowChange]
) -> list[RowChange]:
    """Return the changes of one table complete and judged, without those that are too late to change anything.

    Their rows stay locked until the transaction ends: first in the table, then in quarantine, as in the sink.
    """
    # naive times at the source are UTC
    await connection.execute("set local time zone 'UTC'")
    keys = {str(change.key) for change in changes}
    cursor = await connection.execute(compose_known_rows(name), {"keys": sorted(keys)})
    newest: dict[str, Known] = {}
    for row in await cursor.fetchall():
        _note_newest(newest, _read_back(decoder_of(name), *row))
    letters = [change.message.key for change in changes if change.left_out and change.message.key]
    cursor = await connection.execute(_DEAD, [stream_contracts()[name].topic, letters])
    return list(_fill_in_order(changes, newest, {key: _Dead(*rest) for key, *rest in await cursor.fetchall()}))


def _fill_in_order(
    changes: Iterable[RowChange], newest: dict[str, Known], dead: Mapping[bytes, _Dead]
) -> Iterable[RowChange]:
    for change in sorted(changes, key=lambda change: change.version):
        base = newest.get(str(change.key))
        if change.left_out:
            if base and base.change.version >= change.version:
                continue
            letter = dead.get(change.message.key) if change.message.key else None
            change = _fill(change, base, letter)
        _note_newest(newest, Known(change, None, change.broken))
        yield change


def _note_newest(newest: dict[str, Known], version: Known) -> None:
    before = newest.get(str(version.change.key))
    if before is None or before.change.version < version.change.version:
        newest[str(version.change.key)] = version


def _fill(change: RowChange, base: Known | None, letter: _Dead | None) -> RowChange:
    """Fill what an event leaves out; the original change is not modified, because it may be applied again."""
    names = [name for name in change.left_out if base and _has_value(base, change, name, letter)]
    values: dict[str, Any] = dict.fromkeys(change.left_out, msgspec.UNSET)
    values |= {name: getattr(base.change.row, name) for name in names if base}
    row = msgspec.structs.replace(change.row, **values)
    unknown = [name for name in change.left_out if getattr(row, name) is msgspec.UNSET]
    judge = decoder_of(change.table).judge
    broken = [*change.broken, *(_name_rule(base, name) for name in unknown)]
    return change._replace(row=row, broken=broken or judge.find_broken_rules(row, row.committed_at))


def _name_rule(base: Known | None, name: str) -> str:
    """Return the rule for an unknown value: too large in the version before, or never sent."""
    too_large = TOO_LARGE.format(name)
    return too_large if base and too_large in base.rules else name + NOT_SENT


def _has_value(base: Known, change: RowChange, name: str, letter: _Dead | None) -> bool:
    """Return True if a known version has the value that an event leaves out."""
    if base.change.row.is_deleted:
        return False
    # an absent value may have changed; its last value is kept and the table is marked until the next audit
    return name in change.absent or not _is_superseded(base, change, letter)


def _is_superseded(base: Known, change: RowChange, letter: _Dead | None) -> bool:
    """Return True if a version newer than the base, which we do not have, may have changed the value."""
    if base.change.row.src_epoch != change.row.src_epoch:
        return True
    if letter is None or letter.offset >= change.message.offset:
        return False
    return letter.offset > base.change.message.offset if base.at is None else letter.at > base.at


def _read_back(
    decoder: Decoder,
    key: Any,
    row: Any,
    is_deleted: bool,
    epoch: int,
    commit: int,
    lsn: int,
    is_snapshot: bool,
    at: datetime,
    rules: Sequence[str],
) -> Known:
    version = Version(epoch, commit, lsn, is_snapshot)
    as_event = partial(build_message, decoder.contract, key, **version._asdict(), at_us=to_microseconds(at))
    change = decoder.decode(as_event(row=None if is_deleted else row))
    if not isinstance(change, RowChange):
        # of a payload that cannot be read only the version is known
        change = decoder.decode(as_event(row=None))
    assert isinstance(change, RowChange)  # noqa: S101 - every stored row has a key
    # a deleted row keeps its stored version too
    change.row.src_is_snapshot, change.row.src_commit = is_snapshot, commit
    return Known(change._replace(version=version.rank), at, rules)


def to_microseconds(at: datetime) -> int:
    """Return a moment in microseconds since 1970, exactly."""
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def build_message(
    contract: StreamContract, key: Any, row: Any, *, epoch: int, commit: int, lsn: int, is_snapshot: bool, at_us: int
) -> Message:
    """Return a version of a row as its event; ``row`` is under the source's column names, None for a delete."""
    value = {
        "op": "d" if row is None else "r" if is_snapshot else "u",
        "before": {contract.key_origin: key} if row is None else None,
        "after": row,
        "source": {"lsn": lsn, "ts_us": at_us, "sequence": json.dumps([str(commit), str(lsn)])},
    }
    return Message(contract.topic, -1, -1, None, json.dumps(value).encode(), epoch)


@cache
def compose_known_rows(name: str) -> bytes:
    """Compose a query that locks and returns the known versions of some keys, of the table and of quarantine."""
    contract = stream_contracts()[name]
    query = sql.SQL("""
        with kept as (
            select to_jsonb({key}), {sent}, is_deleted, {of_table}, _loaded_at, '{{}}'::text[]
            from {table} t where {key} = any(%(keys)s::{type}[]) order by {key} for update
        ), open as (
            select payload as _payload, last_tried_at as _tried_at, rules as _rules from ops.quarantine
            where feed = {name} and key = any(%(keys)s::text[]) and released_at is null order by key for update
        ), held as (
            select to_jsonb({key}), {sent} - {missing}, false, {of_payload}, _tried_at, _rules
            from open cross join lateral jsonb_to_record(_payload) as x({types})
        )
        select * from kept union all select * from held
    """)
    return query.format(
        key=sql.Identifier(contract.key), type=sql.SQL(contract.key_type), name=sql.Literal(name),
        table=table(contract), sent=compose_sent_row(contract), types=compose_payload_columns(contract),
        of_table=version_of("t"), of_payload=version_of("x"),
        missing=compose_missing_columns(contract, sql.SQL("_payload"), is_at_source=True),
    ).as_bytes()  # fmt: skip
