"""Format a document's ``_id`` as the text of a key, and parse it: distinct values in MongoDB have distinct texts."""

import json
import re
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

import bson
from bson import Decimal128, ObjectId, json_util
from bson.binary import UUID_SUBTYPE, Binary
from bson.errors import BSONError

_JSON = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, uuid_representation=0, tz_aware=True)
# texts that look like an id of another type, and texts that PostgreSQL cannot store, are written in quotes
_AMBIGUOUS = re.compile(r"""[0-9a-f]{24} | ["{].* | null | true | false | .*[\0\ud800-\udfff].*""", re.S | re.X)
# a Decimal128 has 34 digits
_ALL_DIGITS = Context(prec=34)


def format_id(key: Any) -> str:
    """Return an ``_id`` as text: ObjectIds and most texts unchanged, other values as MongoDB's extended JSON.

    Equal numbers of different types have the same text, because MongoDB takes them for the same ``_id``.
    """
    if isinstance(key, ObjectId):
        return str(key)
    if isinstance(key, str):
        return json.dumps(key) if _AMBIGUOUS.fullmatch(key) else key
    return json_util.dumps(_plain(key), json_options=_JSON)


def parse_id(text: str) -> Any:
    """Return the ``_id`` that `format_id` gives this text."""
    if not _AMBIGUOUS.fullmatch(text):
        return text
    try:
        return ObjectId(text) if len(text) == 24 and text[0] not in '"{' else json_util.loads(text, json_options=_JSON)
    except (ValueError, TypeError, BSONError):
        return text


def parse_ids(texts: Iterable[str]) -> list[Any]:
    """Return the ``_id`` of each text, except those that no query can name."""
    return [key for key in map(parse_id, texts) if is_queryable(key)]


def is_queryable(key: Any) -> bool:
    """Return whether a query can name this ``_id``; it cannot if the text is not UTF-8."""
    if isinstance(key, ObjectId):
        return True
    try:
        bson.encode({"_id": key})
    except (UnicodeError, BSONError):
        return False
    return True


def as_uuid(value: Any) -> UUID | None:
    """Return a BSON UUID as a Python UUID; None for any other value, also for a UUID binary that is not 16 bytes."""
    if isinstance(value, Binary) and value.subtype == UUID_SUBTYPE and len(value) == 16:
        return UUID(bytes=bytes(value))
    return value if isinstance(value, UUID) else None


def _plain(value: Any) -> Any:
    """Return a value with its UUIDs and numbers in their canonical form."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if (uuid := as_uuid(value)) is not None:
        return {"$uuid": str(uuid)}
    if isinstance(value, int | float | Decimal128) and not isinstance(value, bool):
        return _number(value.to_decimal() if isinstance(value, Decimal128) else Decimal(value))
    return value


def _number(exact: Decimal) -> int | float | Decimal128:
    """Return a number as the first of these types that holds it exactly: integer, double, decimal."""
    if exact.is_nan():
        return float("nan")
    if abs(exact) < 1 << 63 and exact == exact.to_integral_value():
        return int(exact)
    return float(exact) if float(exact) == exact else Decimal128(exact.normalize(_ALL_DIGITS))
