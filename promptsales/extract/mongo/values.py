"""One value of a document as one column of a row. What does not fit the contract's type is a misfit, never an error."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from bson import Decimal128, ObjectId

from promptsales.extract.mongo.ids import as_uuid

Convert = Callable[[Any], Any]

_TYPE = re.compile(r"([a-z ]+?)(?:\(([0-9]+)(?:,([0-9]+))?\))?( with time zone)?(\[\])?")
# what is longer is no text of a catalogue but a file in it: with several, a row must fit into one message of Kafka's
MOST_CHARACTERS = 16_384
MOST_INDEXED_BYTES = 2_000
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}


class Misfit(Exception):
    """A value is of another type than the contract says; it holds no value."""


def converter(kind: str) -> Convert:
    """What turns a value of a document into one of PostgreSQL's type ``kind``; null stays null.

    Raises:
        ValueError: for a type that no document can give.
    """
    match = _TYPE.fullmatch(kind)
    name, size, scale, _, is_array = match.groups() if match else (kind, None, None, None, None)
    if is_array and name == "text":
        return _texts
    if name in _BITS:
        return _integer(_BITS[name])
    if name == "numeric" and size:
        return _numeric(int(size), int(scale or 0))
    plain: dict[str, Convert] = {"text": text, "uuid": _uuid, "boolean": _boolean, "timestamp": moment}
    if name not in plain or is_array:
        raise ValueError(f"no value of a document becomes a {kind}")
    return plain[name]


def text(value: Any) -> str:
    """Text as it is; an id as its text. PostgreSQL's text holds no NUL."""
    if isinstance(value, str) and "\0" not in value and len(value) <= MOST_CHARACTERS:
        return clean(value)
    if isinstance(value, ObjectId):
        return str(value)
    if (uuid := as_uuid(value)) is not None:
        return str(uuid)
    raise Misfit


def clean(value: str) -> str:
    """Return text as it is.

    Raises:
        Misfit: for text that was not UTF-8, whose bytes were read as lone surrogates.
    """
    if not value.isascii():
        try:
            value.encode()
        except UnicodeError:
            raise Misfit from None
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Misfit
    found = [text(item) for item in value]
    if sum(len(item) + 1 for item in found) > MOST_CHARACTERS:
        raise Misfit
    return found


def indexed(make: Convert) -> Convert:
    """The same, of text that an index of PostgreSQL can hold: a third of a page, less what stands beside it."""

    def made(value: Any) -> str:
        found = str(make(value))
        if len(found.encode()) > MOST_INDEXED_BYTES:
            raise Misfit
        return found

    return made


def _uuid(value: Any) -> UUID:
    if (uuid := as_uuid(value)) is not None:
        return uuid
    try:
        return UUID(text(value))
    except ValueError:
        raise Misfit from None


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit
    return value


def moment(value: Any) -> datetime:
    """A BSON date, or ISO 8601 text; without a zone it is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Misfit from None
    # at the ends of the calendar another zone's clock may be beyond them
    if not isinstance(value, datetime) or not 1 < value.year < 9999:
        raise Misfit
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _integer(bits: int) -> Convert:
    def convert(value: Any) -> int:
        # shells write whole numbers as doubles
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not -(1 << bits) <= value < 1 << bits:
            raise Misfit
        return int(value)

    return convert


def _numeric(precision: int, scale: int) -> Convert:
    """Decimals, and doubles through their decimal text, so that 0.1 is 0.1; rounded as PostgreSQL rounds."""
    step, bound = Decimal(1).scaleb(-scale), Decimal(10) ** (precision - scale)

    def convert(value: Any) -> Decimal:
        if isinstance(value, Decimal128):
            number = value.to_decimal()
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = Decimal(repr(value) if isinstance(value, float) else int(value))
        else:
            raise Misfit
        try:
            rounded = number.quantize(step, ROUND_HALF_UP)
        except InvalidOperation:  # infinite, or far too large
            raise Misfit from None
        if rounded.is_nan() or abs(rounded) >= bound:
            raise Misfit
        return rounded

    return convert
