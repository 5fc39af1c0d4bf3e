"""Decode bytes into a typed row, a row for quarantine, or a dead letter. Pure: no clock, no server, no Faust.

Debezium's envelope is decoded into a struct built from the contract; fields that the contract does not name are
dropped.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from promptsales.specs.derived import is_date
from promptsales.specs.stream import StreamContract
from promptsales.specs.value_limits import TOO_LARGE, compute_limits, count_units
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.envelope import Event, build_event_decoder
from promptsales.stream.judge import Judge
from promptsales.stream.messages import EPOCH, Message
from promptsales.stream.rules import Rules
from promptsales.stream.truncations import Truncation
from promptsales.stream.version import Rank, Version

# Debezium's placeholder for a large value that an update left unchanged (schemas/kafka/connectors/postgres.yml).
# PostgreSQL text cannot contain a zero character, so no real value equals it
UNCHANGED = "\0unchanged"
# the same as JSON, alone and as an array's only element
_UNCHANGED = (msgspec.json.encode(UNCHANGED), msgspec.json.encode([UNCHANGED]))

# times that PostgreSQL can hold and Python cannot, as Debezium writes them: infinite, BC, or after the year 9999
_BEYOND = re.compile(r"-?infinity|(?P<sign>[+-]?)(?P<year>\d{4,9})(?P<rest>-\d\d-\d\d(T[\d:.]+([+-][\d:]+|Z)?)?)( BC)?")
# a lone surrogate at the end of a text, as Connect writes it when a cut splits a character
_HALF = re.compile(rb'\\u[dD][89abAB][0-9a-fA-F]{2}"')
# created, updated, deleted; read by a snapshot
_OPERATIONS = frozenset("cudr")
_TRUNCATE = "t"
# raw values keep every digit as it was written
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_object_or_null = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)
_EPOCH_0 = datetime(1970, 1, 1, tzinfo=UTC)


class RowChange(NamedTuple):
    """A version of a row; ``row`` is an instance of the struct built from the contract.

    ``version`` decides which of two versions is newer. ``is_first`` means that Debezium named no commit before the
    change, so its place in the order is not known yet (`stream/first.py`). ``unnamed`` describes a field that no
    contract names; its value was dropped. ``absent`` names the columns for which the event had no field: their value is
    `msgspec.UNSET`, which is not null. ``left_out`` names those and the columns that the update left unchanged: their
    value is `UNCHANGED`. Such a row is judged once it is complete (`stream/known.py`). Until then ``broken`` only lists
    values that were cut.
    """

    table: str
    key: Any
    version: Rank
    committed_at: datetime
    row: Any
    broken: list[str]
    message: Message
    unnamed: str | None = None
    absent: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    is_first: bool = False


# None for a tombstone
Decoded = RowChange | Truncation | DeadLetter | None


class Decoder:
    """The decoder of one table; set ``may_be_cut`` to False for rows read from the source or the warehouse."""

    def __init__(self, contract: StreamContract, may_be_cut: bool = True) -> None:
        self.contract = contract
        self.judge = Judge(contract)
        self.rules: Rules = self.judge.rules
        self._exact = build_event_decoder(contract, True, msgspec.NODEFAULT)
        self._partial = build_event_decoder(contract, True, msgspec.UNSET)
        self._tolerant = build_event_decoder(contract, False, msgspec.UNSET)
        self._with_texts = build_event_decoder(contract, False, msgspec.UNSET, str)
        self._times = [column.name for column in contract.columns if is_date(column.type)]
        self._limits = list(compute_limits(contract).items()) if may_be_cut else []
        self._names = {column.origin: column.name for column in contract.columns}

    def decode(self, message: Message) -> Decoded:
        """Return what a message says; None for a tombstone of a compacted topic.

        An error here is the message's fault and would happen again, so it becomes a dead letter and never stops the
        stream.
        """
        try:
            return self._decode(message)
        except msgspec.MsgspecError as error:
            return DeadLetter(message, f"{type(error).__name__}: {error}")
        except Exception as error:
            # the error's text may quote a value
            return DeadLetter(message, type(error).__name__)

    def _decode(self, message: Message) -> Decoded:
        if message.value is None:
            return None
        if message.epoch is None:
            return DeadLetter(message, f"the header {EPOCH!r} is missing or invalid, so the version's rank is unknown")
        event, unnamed, is_whole, unchanged = self._repair_and_read(message.value)
        if event.op == _TRUNCATE:
            commit, lsn = event.source.commit, event.source.lsn
            return Truncation(self.contract.table, message.epoch, commit or lsn, lsn, _committed_at(event))
        if event.op not in _OPERATIONS:
            return DeadLetter(message, "unknown operation, expected one of c, u, d, r, t")
        row = event.before if event.op == "d" else event.after
        if row is None:
            return DeadLetter(message, f"operation {event.op} without its row")
        if getattr(row, self.contract.key) in (None, msgspec.UNSET):
            return DeadLetter(message, self._describe_missing_key(event.op))
        for name in unchanged:
            setattr(row, name, UNCHANGED)
        left_out = () if is_whole or event.op == "d" else self._find_left_out(row)
        return self._build_change(message, event, row, unnamed, left_out)

    def _describe_missing_key(self, op: str) -> str:
        return (
            f"operation {op} has no value of {self.contract.key_origin}, the key of {self.contract.source.relation}: "
            "the changed row is unknown; if the source renamed that column, rename it back"
        )

    def _without_unchanged(self, value: bytes) -> tuple[bytes, list[str]]:
        """Return an event without the values that an update left unchanged, and the columns of those values."""
        if _UNCHANGED[0] not in value:
            return value, []
        event = _object.decode(value)
        row = _object_or_null.decode(event.get("after", b"null"))
        if row is None:
            return value, []
        left = [origin for origin, value in row.items() if bytes(value) in _UNCHANGED]
        kept = {origin: item for origin, item in row.items() if origin not in left}
        whole = msgspec.json.encode({**event, "after": kept})
        return whole, [self._names[origin] for origin in left if origin in self._names]

    def _repair_and_read(self, value: bytes) -> tuple[Any, str | None, bool, list[str]]:
        """Return an event, a description of fields no contract names, whether it is whole, and unchanged columns."""
        try:
            return self._read(value)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return self._read(_HALF.sub(b'?"', value))

    def _read(self, value: bytes) -> tuple[Any, str | None, bool, list[str]]:
        value, unchanged = self._without_unchanged(value)
        return *self._parse(value), unchanged

    def _parse(self, value: bytes) -> tuple[Any, str | None, bool]:
        """Return an event, a description of fields no contract names, and whether the event is whole."""
        try:
            return self._exact.decode(value), None, True
        except msgspec.ValidationError:
            return self._parse_inexact(value)

    def _parse_inexact(self, value: bytes) -> tuple[Any, str | None, bool]:
        """Return an event that lacks fields, has fields no contract names, or has a time Python cannot represent.

        Raises:
            ValidationError: when something else is wrong with the event.
        """
        try:
            return self._partial.decode(value), None, False
        except msgspec.ValidationError as error:
            unnamed = str(error)
        try:
            return self._tolerant.decode(value), unnamed, False
        except msgspec.ValidationError as error:
            return self._keep_times_as_text(value, error), None, False

    def _keep_times_as_text(self, value: bytes, error: msgspec.ValidationError) -> Any:
        """Return an event that has a time Python cannot represent; the time stays text, and the row goes to quarantine.

        Raises:
            ValidationError: when that is not what is wrong with the event.
        """
        event = self._with_texts.decode(value)
        row = event.before if event.op == "d" else event.after
        values = {name: getattr(row, name) for name in self._times if row is not None}
        texts = {name: text for name, text in values.items() if isinstance(text, str)}
        times = {name: _read_time(text, error) for name, text in texts.items()}
        if not any(isinstance(time, str) for time in times.values()):
            raise error
        for name, time in times.items():
            setattr(row, name, time)
        return event

    def _find_left_out(self, row: Any) -> tuple[str, ...]:
        values = {name: getattr(row, name) for name in self._names.values()}
        return tuple(name for name, value in values.items() if value is msgspec.UNSET or value == UNCHANGED)

    def _build_change(
        self, message: Message, event: Any, row: Any, unnamed: str | None, left_out: tuple[str, ...]
    ) -> RowChange:
        row.is_deleted, row.src_is_snapshot = event.op == "d", event.op == "r"
        row.src_epoch, row.src_lsn = message.epoch, event.source.lsn
        commit = event.source.lsn if row.src_is_snapshot else event.source.commit
        row.src_commit = row.src_lsn if commit is None else commit
        row.committed_at = _committed_at(event)
        absent = tuple(name for name in left_out if getattr(row, name) is msgspec.UNSET)
        broken = [] if row.is_deleted else self._find_broken(row, left_out)
        version = Version(row.src_epoch, row.src_commit, row.src_lsn, row.src_is_snapshot).rank
        key = getattr(row, self.contract.key)
        return RowChange(
            self.contract.table,
            key,
            version,
            row.committed_at,
            row,
            broken,
            message,
            unnamed,
            absent,
            left_out,
            is_first=commit is None,
        )

    def _find_broken(self, row: Any, left_out: tuple[str, ...]) -> list[str]:
        cut = self._unset_cut(row, left_out)
        if not left_out and not cut:
            return self.judge.find_broken_rules(row, row.committed_at)
        # neither unlisted keys nor addresses may be stored while the row is incomplete
        self.judge.clean(row)
        return [TOO_LARGE.format(name) for name in cut]

    def _unset_cut(self, row: Any, left_out: tuple[str, ...]) -> list[str]:
        """Return the columns whose values were cut on the way, and unset them: the rest of the value is unknown."""
        cut = [name for name, most in self._limits if name not in left_out and _is_longer(getattr(row, name), most)]
        for name in cut:
            setattr(row, name, msgspec.UNSET)
        return cut


def _committed_at(event: Event) -> datetime:
    return _EPOCH_0 + timedelta(microseconds=event.source.ts_us)


def _is_longer(text: Any, most: int) -> bool:
    # a character has at most two units, so short texts need no count
    return isinstance(text, str) and 2 * len(text) > most and count_units(text) > most


def _read_time(text: str, error: msgspec.ValidationError) -> Any:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        match = _BEYOND.fullmatch(text)
    if not match:
        raise error
    # in PostgreSQL's notation, because the audit compares quarantine there; it has no year 0
    if match["year"] and (match["sign"] == "-" or not int(match["year"])):
        return f"{int(match['year']) + 1:04}{match['rest']} BC"
    return text.removeprefix("+")
