"""Convert a value of a document to a column of a row; a value of a wrong type is a misfit and does not end the load."""

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
# longer text is a file rather than an attribute; with several such columns a row must still fit into a Kafka message
MOST_CHARACTERS = 16_384
MOST_INDEXED_BYTES = 2_000
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}


class Misfit(Exception):
    """A value is not of the type that the contract requires; the exception does not contain the value."""


def make_converter(kind: str) -> Convert:
    """Return the function that converts a value of a document, other than null, to PostgreSQL's type ``kind``.

    Raises:
        ValueError: for a type that no document value converts to.
    """
    match = _TYPE.fullmatch(kind)
    name, size, scale, _, is_array = match.groups() if match else (kind, None, None, None, None)
    if is_array and name == "text":
        return _convert_texts
    if name in _BITS:
        return _make_integer_converter(_BITS[name])
    if name == "numeric" and size:
        return _make_numeric_converter(int(size), int(scale or 0))
    plain: dict[str, Convert] = {
        "text": convert_text,
        "uuid": _convert_uuid,
        "boolean": _convert_boolean,
        "timestamp": convert_time,
    }
    if name not in plain or is_array:
        raise ValueError(f"no value of a document becomes a {kind}")
    return plain[name]


def convert_text(value: Any) -> str:
    """Return text unchanged and an id as its text; NUL, which PostgreSQL's text cannot hold, is a misfit."""
    if isinstance(value, str) and "\0" not in value and len(value) <= MOST_CHARACTERS:
        return check_utf8(value)
    if isinstance(value, ObjectId):
        return str(value)
    if (uuid := as_uuid(value)) is not None:
        return str(uuid)
    raise Misfit


def check_utf8(value: str) -> str:
    """Return text unchanged.

    Raises:
        Misfit: when the text was not UTF-8, so that its bytes were read as lone surrogates.
    """
    if not value.isascii():
        try:
            value.encode()
        except UnicodeError:
            raise Misfit from None
    return value


def _convert_texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Misfit
    texts = [convert_text(item) for item in value]
    if sum(len(text) + 1 for text in texts) > MOST_CHARACTERS:
        raise Misfit
    return texts


def limit_to_index(make: Convert) -> Convert:
    """Return a converter that accepts only text that fits into a PostgreSQL index: a third of a page, less overhead."""

    def convert(value: Any) -> str:
        text = str(make(value))
        if len(text.encode()) > MOST_INDEXED_BYTES:
            raise Misfit
        return text

    return convert


def _convert_uuid(value: Any) -> UUID:
    if (uuid := as_uuid(value)) is not None:
        return uuid
    try:
        return UUID(convert_text(value))
    except ValueError:
        raise Misfit from None


def _convert_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit
    return value


def convert_time(value: Any) -> datetime:
    """Return the time of a BSON date or of ISO 8601 text, which is UTC if it has no zone."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Misfit from None
    # near the ends of the calendar a conversion to another zone overflows
    if not isinstance(value, datetime) or not 1 < value.year < 9999:
        raise Misfit
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _make_integer_converter(bits: int) -> Convert:
    def convert(value: Any) -> int:
        # the MongoDB shell writes integers as doubles
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not -(1 << bits) <= value < 1 << bits:
            raise Misfit
        return int(value)

    return convert


def _make_numeric_converter(precision: int, scale: int) -> Convert:
    """Return a converter of decimals, and of doubles by their shortest decimal text; it rounds as PostgreSQL does."""
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
        except InvalidOperation:  # infinite or far too large
            raise Misfit from None
        if rounded.is_nan() or abs(rounded) >= bound:
            raise Misfit
        return rounded

    return convert
