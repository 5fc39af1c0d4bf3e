"""Rows of which an event says only a part, made whole by the newest version that is known.

An update leaves out a large value that it does not change; and where the source has renamed or dropped a column, an
event has no field for it. Neither is a null. What is newest may be the table's row, the payload in quarantine, or a
version that came earlier in the same batch. What is not known then is in no column of core: the row goes to quarantine
without it, and the audit reads it from the source.
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
from promptsales.stream.decode import Change, Decoder, Message
from promptsales.stream.sent import missing, payload, sent
from promptsales.stream.statements import table
from promptsales.stream.version import Version, version_of

_DEAD = """
    select message_key, max(message_offset), max(dead_at) from ops.dead_letter
    where topic = %s and message_key = any(%s::bytea[]) group by message_key
"""


class Known(NamedTuple):
    """A version of a row that is known; ``at`` is when the warehouse took it, None while it is of this batch.

    ``rules`` are those it broke.
    """

    change: Change
    at: datetime | None
    rules: Sequence[str] = ()


class _Dead(NamedTuple):
    """The last dead letter of a key."""

    offset: int
    at: datetime


@cache
def decoder_of(name: str) -> Decoder:
    """The decoder of a table."""
    return Decoder(stream_contracts()[name], may_be_cut=False)


async def completed(connection: psycopg.AsyncConnection[Any], name: str, changes: Sequence[Change]) -> list[Change]:
    """Return the changes of one table whole and judged; those that are too late to change anything are left out.

    Their rows are locked until the transaction ends, first in the table, then in quarantine, as the sink does.
    """
    # naive times at the source are UTC, and are read back so
    await connection.execute("set local time zone 'UTC'")
    keys = {str(change.key) for change in changes}
    cursor = await connection.execute(known_rows(name), {"keys": sorted(keys)})
    newest: dict[str, Known] = {}
    for row in await cursor.fetchall():
        _note(newest, _read_back(decoder_of(name), *row))
    letters = [change.message.key for change in changes if change.left_out and change.message.key]
    cursor = await connection.execute(_DEAD, [stream_contracts()[name].topic, letters])
    return list(_whole(changes, newest, {key: _Dead(*rest) for key, *rest in await cursor.fetchall()}))


def _whole(changes: Iterable[Change], newest: dict[str, Known], dead: Mapping[bytes, _Dead]) -> Iterable[Change]:
    for change in sorted(changes, key=lambda change: change.version):
        base = newest.get(str(change.key))
        if change.left_out:
            if base and base.change.version >= change.version:
                continue
            letter = dead.get(change.message.key) if change.message.key else None
            change = _filled(change, base, letter)
        _note(newest, Known(change, None, change.broken))
        yield change


def _note(newest: dict[str, Known], found: Known) -> None:
    before = newest.get(str(found.change.key))
    if before is None or before.change.version < found.change.version:
        newest[str(found.change.key)] = found


def _filled(change: Change, base: Known | None, letter: _Dead | None) -> Change:
    """Fill what an event leaves out; the change that came stays as it is, for it may be applied again."""
    names = [name for name in change.left_out if base and _tells(base, change, name, letter)]
    values: dict[str, Any] = dict.fromkeys(change.left_out, msgspec.UNSET)
    values |= {name: getattr(base.change.row, name) for name in names if base}
    row = msgspec.structs.replace(change.row, **values)
    unknown = [name for name in change.left_out if getattr(row, name) is msgspec.UNSET]
    judge = decoder_of(change.table).judge
    broken = [*change.broken, *(_why_unknown(base, name) for name in unknown)]
    return change._replace(row=row, broken=broken or judge.broken(row, row.committed_at))


def _why_unknown(base: Known | None, name: str) -> str:
    """Return the rule by which a value is not known: it was too large in the version before, or was never sent."""
    too_large = TOO_LARGE.format(name)
    return too_large if base and too_large in base.rules else name + NOT_SENT


def _tells(base: Known, change: Change, name: str, letter: _Dead | None) -> bool:
    """Whether a known version tells a value that an event leaves out."""
    if base.change.row.is_deleted:
        return False
    # an absent value may have changed, so the last one is kept: the table is marked until an audit has compared it
    return name in change.absent or not _is_outlived(base, change, letter)


def _is_outlived(base: Known, change: Change, letter: _Dead | None) -> bool:
    """Whether a newer version than the base was left as it was: of another life of the source, or one that is dead."""
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
    as_event = partial(as_message, decoder.contract, key, **version._asdict(), at_us=microseconds(at))
    found = decoder.decode(as_event(row=None if is_deleted else row))
    if not isinstance(found, Change):
        # a payload that cannot be read tells nothing but its version
        found = decoder.decode(as_event(row=None))
    assert isinstance(found, Change)  # noqa: S101 - every row that is kept has a key
    # one that is deleted, too, has the version it has here
    found.row.src_is_snapshot, found.row.src_commit = is_snapshot, commit
    return Known(found._replace(version=version.rank), at, rules)


def microseconds(at: datetime) -> int:
    """A moment as events say it, exactly."""
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def as_message(
    contract: StreamContract, key: Any, row: Any, *, epoch: int, commit: int, lsn: int, is_snapshot: bool, at_us: int
) -> Message:
    """A version of a row as its event: ``row`` is under the names of the source; None where the row is gone."""
    value = {
        "op": "d" if row is None else "r" if is_snapshot else "u",
        "before": {contract.key_origin: key} if row is None else None,
        "after": row,
        "source": {"lsn": lsn, "ts_us": at_us, "sequence": json.dumps([str(commit), str(lsn)])},
    }
    return Message(contract.topic, -1, -1, None, json.dumps(value).encode(), epoch)


@cache
def known_rows(name: str) -> bytes:
    """Compose the newest known version of some keys, locked: of the table, then of quarantine."""
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
        table=table(contract), sent=sent(contract), types=payload(contract), of_table=version_of("t"),
        of_payload=version_of("x"),
        missing=missing(contract, sql.SQL("_payload"), is_at_source=True),
    ).as_bytes()  # fmt: skip
