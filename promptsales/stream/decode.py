"""From bytes to a typed row, a quarantined row or a dead letter. Pure: no clock, no server, no Faust.

Debezium's envelope is decoded into a struct made from the contract; what the contract does not name is not kept.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec

from promptsales.specs.derived import is_date
from promptsales.specs.stream import StreamColumn, StreamContract
from promptsales.specs.value_limits import TOO_LARGE, compute_limits, count_units
from promptsales.stream.judge import Judge
from promptsales.stream.rules import Rules
from promptsales.stream.truncations import Truncation
from promptsales.stream.version import Rank, Version

# what Debezium sends for a large value that an update left as it was (schemas/kafka/connectors/postgres.yml). No text
# of PostgreSQL has a zero character, so no real value reads like it
UNCHANGED = "\0unchanged"
# the same as JSON, alone and as an array's only element
_UNCHANGED = (msgspec.json.encode(UNCHANGED), msgspec.json.encode([UNCHANGED]))
# before the names of our own fields, so that a source may have columns of those names
PREFIX = "promptsales_"
# the header by which each event says from which life of its source it is
EPOCH = "epoch"

# a time that PostgreSQL holds and Python does not, as Debezium writes it: infinite, before Christ, or of a far year
_BEYOND = re.compile(r"-?infinity|(?P<sign>[+-]?)(?P<year>\d{4,9})(?P<rest>-\d\d-\d\d(T[\d:.]+([+-][\d:]+|Z)?)?)( BC)?")
NOT_AN_OBJECT = "{}_not_an_object"
# half of a character that was cut in two, at the end of its text, as Connect writes it
_HALF = re.compile(rb'\\u[dD][89abAB][0-9a-fA-F]{2}"')
# created, updated, deleted; read by a snapshot
_OPERATIONS = frozenset("cudr")
_TRUNCATE = "t"
# values stay as they were written, to the last digit
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_object_or_null = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)
_EPOCH_0 = datetime(1970, 1, 1, tzinfo=UTC)
# what an event says beside its row: the type here, the default, the type in PostgreSQL
OWN: dict[str, tuple[Any, Any, str]] = {
    "is_deleted": (bool, False, "boolean"),
    "src_epoch": (int, 0, "integer"),
    "src_commit": (int, 0, "bigint"),
    "src_lsn": (int, 0, "bigint"),
    "src_is_snapshot": (bool, False, "boolean"),
    "committed_at": (datetime | None, None, "timestamptz"),
}
_TYPES: dict[str, Any] = {
    "uuid": UUID,
    "bigint": int,
    "integer": int,
    "smallint": int,
    "boolean": bool,
    "text": str,
    "jsonb": str,
    "timestamp with time zone": datetime,
}


class Message(NamedTuple):
    """An event as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    epoch: int | None


class Change(NamedTuple):
    """A version of a row; ``row`` is of the struct made from the contract.

    ``version`` decides which of two versions is the newer. ``is_first`` says that Debezium named no commit before it,
    so its place is not known yet (`stream/first.py`). ``unnamed`` says where the event had a field that no contract
    names; it was dropped. ``absent`` names the columns for which the event had no field: their value is
    `msgspec.UNSET`, which is not null. ``left_out`` names those too, and the ones that the event says were left as they
    were: their value is `UNCHANGED`. Such a row is judged once it is whole (`stream/known.py`). Until then ``broken``
    says which values were cut.
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


class DeadLetter(NamedTuple):
    """A message that could not be decoded, and why; the reason holds no value of it."""

    message: Message
    reason: str


# None for a message that says nothing
Decoded = Change | Truncation | DeadLetter | None


# what the warehouse cannot hold would be refused with the offsets, too
_Lsn = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# its numbers are texts
_sequence = msgspec.json.Decoder(tuple[_Lsn | None, _Lsn | None], strict=False)


class _Source(msgspec.Struct):
    lsn: _Lsn
    ts_us: int
    sequence: str | None = None

    @property
    def commit(self) -> int | None:
        """Where the commit before this transaction ends; None for the first transaction after a snapshot."""
        return _sequence.decode(self.sequence)[0] if self.sequence else None


class _Event(msgspec.Struct):
    op: str
    source: _Source


class Decoder:
    """The decoder of one table; of rows read from the source itself no value is cut."""

    def __init__(self, contract: StreamContract, may_be_cut: bool = True) -> None:
        self.contract = contract
        self.judge = Judge(contract)
        self.rules: Rules = self.judge.rules
        self._exact = _event_decoder(contract, True, msgspec.NODEFAULT)
        self._partial = _event_decoder(contract, True, msgspec.UNSET)
        self._tolerant = _event_decoder(contract, False, msgspec.UNSET)
        self._with_texts = _event_decoder(contract, False, msgspec.UNSET, str)
        self._times = [column.name for column in contract.columns if is_date(column.type)]
        self._limits = list(compute_limits(contract).items()) if may_be_cut else []
        self._names = {column.origin: column.name for column in contract.columns}

    def decode(self, message: Message) -> Decoded:
        """What a message says; None for one that says nothing (a tombstone of a compacted topic).

        Whatever goes wrong here is the message's fault, and would go wrong again: it never stops the stream.
        """
        try:
            return self._decoded(message)
        except msgspec.MsgspecError as error:
            return DeadLetter(message, f"{type(error).__name__}: {error}")
        except Exception as error:
            # its text may hold a value
            return DeadLetter(message, type(error).__name__)

    def _decoded(self, message: Message) -> Decoded:
        if message.value is None:
            return None
        if message.epoch is None:
            return DeadLetter(message, f"it has no header {EPOCH!r} that can be used, so its rank is not known")
        event, unnamed, is_whole, unchanged = self._event(message.value)
        if event.op == _TRUNCATE:
            commit, lsn = event.source.commit, event.source.lsn
            return Truncation(self.contract.table, message.epoch, commit or lsn, lsn, _committed_at(event))
        if event.op not in _OPERATIONS:
            return DeadLetter(message, "an operation that is none of c, u, d, r, t")
        row = event.before if event.op == "d" else event.after
        if row is None:
            return DeadLetter(message, f"operation {event.op} without its row")
        if getattr(row, self.contract.key) in (None, msgspec.UNSET):
            return DeadLetter(message, self._no_key(event.op))
        for name in unchanged:
            setattr(row, name, UNCHANGED)
        left_out = () if is_whole or event.op == "d" else self._left_out(row)
        return self._change(message, event, row, unnamed, left_out)

    def _no_key(self, op: str) -> str:
        return (
            f"operation {op} has no value of {self.contract.key_origin}, the key of {self.contract.source.relation}: "
            "nobody knows which row changed; if the source renamed that column, give it this name again"
        )

    def _without_unchanged(self, value: bytes) -> tuple[bytes, list[str]]:
        """An event without the values that an update left as they were, whatever their type; and their columns."""
        if _UNCHANGED[0] not in value:
            return value, []
        event = _object.decode(value)
        row = _object_or_null.decode(event.get("after", b"null"))
        if row is None:
            return value, []
        left = [origin for origin, found in row.items() if bytes(found) in _UNCHANGED]
        kept = {origin: found for origin, found in row.items() if origin not in left}
        whole = msgspec.json.encode({**event, "after": kept})
        return whole, [self._names[origin] for origin in left if origin in self._names]

    def _event(self, value: bytes) -> tuple[Any, str | None, bool, list[str]]:
        """An event, what in it no contract names, whether it is whole, and the columns that are unchanged."""
        try:
            return self._read(value)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return self._read(_HALF.sub(b'?"', value))

    def _read(self, value: bytes) -> tuple[Any, str | None, bool, list[str]]:
        value, unchanged = self._without_unchanged(value)
        return *self._parsed(value), unchanged

    def _parsed(self, value: bytes) -> tuple[Any, str | None, bool]:
        try:
            return self._exact.decode(value), None, True
        except msgspec.ValidationError:
            pass
        try:
            return self._partial.decode(value), None, False
        except msgspec.ValidationError as error:
            unnamed = str(error)
        try:
            return self._tolerant.decode(value), unnamed, False
        except msgspec.ValidationError as error:
            return self._beyond_our_calendar(value, error), None, False

    def _beyond_our_calendar(self, value: bytes, error: msgspec.ValidationError) -> Any:
        """An event one of whose times Python cannot hold; such a time is kept as text, for quarantine.

        Raises:
            ValidationError: when that is not what is wrong with the event.
        """
        event = self._with_texts.decode(value)
        row = event.before if event.op == "d" else event.after
        found = {name: getattr(row, name) for name in self._times if row is not None}
        texts = {name: text for name, text in found.items() if isinstance(text, str)}
        times = {name: _time(text, error) for name, text in texts.items()}
        if not any(isinstance(time, str) for time in times.values()):
            raise error
        for name, time in times.items():
            setattr(row, name, time)
        return event

    def _left_out(self, row: Any) -> tuple[str, ...]:
        values = {name: getattr(row, name) for name in self._names.values()}
        return tuple(name for name, value in values.items() if value is msgspec.UNSET or value == UNCHANGED)

    def _change(self, message: Message, event: Any, row: Any, unnamed: str | None, left_out: tuple[str, ...]) -> Change:
        row.is_deleted, row.src_is_snapshot = event.op == "d", event.op == "r"
        row.src_epoch, row.src_lsn = message.epoch, event.source.lsn
        commit = event.source.lsn if row.src_is_snapshot else event.source.commit
        row.src_commit = row.src_lsn if commit is None else commit
        row.committed_at = _committed_at(event)
        absent = tuple(name for name in left_out if getattr(row, name) is msgspec.UNSET)
        broken = [] if row.is_deleted else self._broken(row, left_out)
        version = Version(row.src_epoch, row.src_commit, row.src_lsn, row.src_is_snapshot).rank
        key = getattr(row, self.contract.key)
        return Change(
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

    def _broken(self, row: Any, left_out: tuple[str, ...]) -> list[str]:
        cut = self._cut(row, left_out)
        if not left_out and not cut:
            return self.judge.broken(row, row.committed_at)
        # what nobody listed is not kept until the row is whole, either
        self.judge.keep_listed(row)
        return [TOO_LARGE.format(name) for name in cut]

    def _cut(self, row: Any, left_out: tuple[str, ...]) -> list[str]:
        """Values that were cut on their way; they are dropped, as the rest of them is not known."""
        found = [name for name, most in self._limits if name not in left_out and _is_longer(getattr(row, name), most)]
        for name in found:
            setattr(row, name, msgspec.UNSET)
        return found


def _committed_at(event: _Event) -> datetime:
    return _EPOCH_0 + timedelta(microseconds=event.source.ts_us)


def _is_longer(text: Any, most: int) -> bool:
    # no text has more than two units a character
    return isinstance(text, str) and 2 * len(text) > most and count_units(text) > most


def _time(text: str, error: msgspec.ValidationError) -> Any:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        match = _BEYOND.fullmatch(text)
    if not match:
        raise error
    # as PostgreSQL reads it, which compares what quarantine holds: it knows no year 0
    if match["year"] and (match["sign"] == "-" or not int(match["year"])):
        return f"{int(match['year']) + 1:04}{match['rest']} BC"
    return text.removeprefix("+")


def _event_decoder(
    contract: StreamContract, is_exact: bool, default: Any, times: Any = datetime
) -> "msgspec.json.Decoder[Any]":
    # of a deleted row only the key is sent
    before, after = row_type(contract, is_exact, None, times), row_type(contract, is_exact, default, times)
    fields: list[tuple[str, Any, Any]] = [("before", before | None, None), ("after", after | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("Event", fields, bases=(_Event,), kw_only=True))


def row_type(contract: StreamContract, is_exact: bool, default: Any, times: Any = datetime) -> type[msgspec.Struct]:
    """The struct of a table's rows: the contract's columns under their names at the source, and the version.

    An exact one refuses a field that the contract does not name; ``default`` stands for one that is absent, and
    without a default that is refused too. Times are read as of the given type.
    """

    def kind(column: StreamColumn) -> Any:
        found = times if is_date(column.type) else _python_type(column.type)
        return found | None | msgspec.UnsetType if default is msgspec.UNSET else found | None

    fields: list[tuple[str, Any, Any]] = [
        (column.name, kind(column), msgspec.field(default=default, name=column.origin)) for column in contract.columns
    ]
    fields += [
        (name, kind, msgspec.field(default=default, name=PREFIX + name)) for name, (kind, default, _) in OWN.items()
    ]
    return msgspec.defstruct("Row", fields, kw_only=True, forbid_unknown_fields=is_exact)


def _python_type(name: str) -> Any:
    if name.startswith("numeric"):
        return Decimal
    return _TYPES.get(name.split("(")[0], str)
