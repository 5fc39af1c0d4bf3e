"""From bytes to a typed row, a quarantined row or a dead letter. Pure: no clock, no server, no Faust.

Debezium's envelope is decoded into a struct made from the contract; what the contract does not name is not kept.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec

from promptsales.quality.derived import DATES, is_date
from promptsales.quality.suite import CLOCK_TOLERANCE, read_suite
from promptsales.stream_contracts import StreamColumn, StreamContract
from promptsales.stream_limits import TOO_LARGE, limits, units
from promptsales.stream_truncations import Truncation
from streams.rules import Rules, compile_rules

# what Debezium sends for a large value that an update left as it was
UNCHANGED = "__debezium_unavailable_value"
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
# its values stay as they were written, to the last digit
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EPOCH_0 = datetime(1970, 1, 1, tzinfo=UTC)
# what an event says beside its row: the type here, the default, the type in PostgreSQL
OWN: dict[str, tuple[Any, Any, str]] = {
    "is_deleted": (bool, False, "boolean"),
    "src_epoch": (int, 0, "integer"),
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

    ``version`` is what decides which of two is the newer: the epoch, whether it is a change rather than a row that the
    epoch's snapshot read, and the position in the log. A change that was in flight while the slot was made lies before
    the snapshot's position, but is newer. ``unnamed`` says where the event had a field that no contract names; it was
    dropped.
    """

    table: str
    key: Any
    version: tuple[int, bool, int]
    committed_at: datetime
    row: Any
    broken: list[str]
    message: Message
    unnamed: str | None = None


class DeadLetter(NamedTuple):
    """A message that could not be decoded, and why; the reason holds no value of it."""

    message: Message
    reason: str


# None for a message that says nothing
Decoded = Change | Truncation | DeadLetter | None


class _Source(msgspec.Struct):
    # what the warehouse cannot hold would be refused with the offsets, too
    lsn: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    ts_us: int


class _Event(msgspec.Struct):
    op: str
    source: _Source


class Decoder:
    """The decoder of one table; of rows read from the source itself no value is cut."""

    def __init__(self, contract: StreamContract, may_be_cut: bool = True) -> None:
        self.contract = contract
        self.rules: Rules = compile_rules(read_suite(contract))
        self._exact, self._tolerant = (_event_decoder(contract, is_exact) for is_exact in (True, False))
        self._times = [column.name for column in contract.columns if is_date(column.type)]
        self._with_texts = _event_decoder(contract, False, str)
        self._objects = [(column.name, frozenset(column.keys)) for column in contract.columns if column.keys]
        self._numbers = [column.name for column in contract.columns if _python_type(column.type) is Decimal]
        self._limits = list(limits(contract).items()) if may_be_cut else []

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
        event, unnamed = self._event(message.value)
        if event.op == _TRUNCATE:
            return Truncation(self.contract.table, message.epoch, event.source.lsn, _committed_at(event))
        if event.op not in _OPERATIONS:
            return DeadLetter(message, "an operation that is none of c, u, d, r, t")
        row = event.before if event.op == "d" else event.after
        if row is None:
            return DeadLetter(message, f"operation {event.op} without its row")
        return self._change(message, event, row, unnamed)

    def _event(self, value: bytes) -> tuple[Any, str | None]:
        """An event; and what is in it that no contract names, which only a second look can drop."""
        try:
            return self._read(value)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return self._read(_HALF.sub(b'?"', value))

    def _read(self, value: bytes) -> tuple[Any, str | None]:
        try:
            return self._exact.decode(value), None
        except msgspec.ValidationError as error:
            unnamed = str(error)
        try:
            return self._tolerant.decode(value), unnamed
        except msgspec.ValidationError as error:
            return self._beyond_our_calendar(value, error), None

    def _beyond_our_calendar(self, value: bytes, error: msgspec.ValidationError) -> Any:
        """An event one of whose times Python cannot hold; such a time is kept as text, for quarantine.

        Raises:
            ValidationError: when that is not what is wrong with the event.
        """
        event = self._with_texts.decode(value)
        row = event.before if event.op == "d" else event.after
        texts = {name: text for name in self._times if row is not None and (text := getattr(row, name)) is not None}
        times = {name: _time(text, error) for name, text in texts.items()}
        if not any(isinstance(time, str) for time in times.values()):
            raise error
        for name, time in times.items():
            setattr(row, name, time)
        return event

    def _change(self, message: Message, event: Any, row: Any, unnamed: str | None) -> Change:
        row.is_deleted, row.src_is_snapshot = event.op == "d", event.op == "r"
        row.src_epoch, row.src_lsn = message.epoch, event.source.lsn
        row.committed_at = _committed_at(event)
        broken: list[str] = []
        if not row.is_deleted:
            broken = self._cut(row)
            broken += [NOT_AN_OBJECT.format(name) for name, keys in self._objects if not _keep(row, name, keys)]
            broken += self._no_numbers(row) + self._no_times(row) or self.rules.broken_by(
                row, row.committed_at + CLOCK_TOLERANCE
            )
        key = getattr(row, self.contract.key)
        version = (row.src_epoch, not row.src_is_snapshot, row.src_lsn)
        return Change(self.contract.table, key, version, row.committed_at, row, broken, message, unnamed)

    def _cut(self, row: Any) -> list[str]:
        """Values that were cut on their way; they are dropped, as the rest of them is not known."""
        found = [name for name, most in self._limits if _is_longer(getattr(row, name), most)]
        for name in found:
            setattr(row, name, UNCHANGED)
        return [TOO_LARGE.format(name) for name in found]

    def _no_times(self, row: Any) -> list[str]:
        """Times that were left as text; no rule can judge the row, as they compare with nothing."""
        return [DATES.format(name) for name in self._times if isinstance(getattr(row, name), str)]

    def _no_numbers(self, row: Any) -> list[str]:
        """Numbers that are none (NaN, infinity): no rule can judge the row, as they compare with nothing."""
        return [
            f"{name}_not_a_number"
            for name in self._numbers
            if (value := getattr(row, name)) is not None and not value.is_finite()
        ]


def _committed_at(event: _Event) -> datetime:
    return _EPOCH_0 + timedelta(microseconds=event.source.ts_us)


def _is_longer(text: str | None, most: int) -> bool:
    # no text has more than two units a character
    return text is not None and 2 * len(text) > most and units(text) > most


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


def _event_decoder(contract: StreamContract, is_exact: bool, times: Any = datetime) -> "msgspec.json.Decoder[Any]":
    row = row_type(contract, is_exact, times)
    fields: list[tuple[str, Any, Any]] = [("before", row | None, None), ("after", row | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("Event", fields, bases=(_Event,), kw_only=True))


def row_type(contract: StreamContract, is_exact: bool, times: Any = datetime) -> type[msgspec.Struct]:
    """The struct of a table's rows: the contract's columns under their names at the source, and the version.

    An exact one refuses a field that the contract does not name. Times are read as of the given type.
    """

    def kind(column: StreamColumn) -> Any:
        return times if is_date(column.type) else _python_type(column.type)

    fields: list[tuple[str, Any, Any]] = [
        (column.name, kind(column) | None, msgspec.field(default=None, name=column.origin))
        for column in contract.columns
    ]
    fields += [
        (name, kind, msgspec.field(default=default, name=PREFIX + name)) for name, (kind, default, _) in OWN.items()
    ]
    return msgspec.defstruct("Row", fields, kw_only=True, forbid_unknown_fields=is_exact)


def _python_type(name: str) -> Any:
    if name.startswith("numeric"):
        return Decimal
    return _TYPES.get(name.split("(")[0], str)


def _keep(row: Any, name: str, keys: frozenset[str]) -> bool:
    """Keep the listed keys of a JSON object only; False when it is none. What was left as it was is not here."""
    text: str | None = getattr(row, name)
    if text is None or text == UNCHANGED:
        return True
    try:
        found = _object.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    setattr(row, name, msgspec.json.encode({key: value for key, value in found.items() if key in keys}).decode())
    return True
