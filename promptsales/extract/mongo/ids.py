"""A document's ``_id`` as the text of a key and back: values that MongoDB tells apart have different texts."""

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
# texts that read like an id of another type, and those that PostgreSQL cannot hold, are written in quotes
_LIKE_ANOTHER = re.compile(r"""[0-9a-f]{24} | ["{].* | null | true | false | .*[\0\ud800-\udfff].*""", re.S | re.X)
# a Decimal128 has 34 digits
_ALL_DIGITS = Context(prec=34)


def key_text(key: Any) -> str:
    """Return an ``_id`` as text: ObjectIds and most texts as they are, all else as MongoDB's extended JSON.

    Numbers of one value have one text whatever their type, because MongoDB takes them for one ``_id``.
    """
    if isinstance(key, ObjectId):
        return str(key)
    if isinstance(key, str):
        return json.dumps(key) if _LIKE_ANOTHER.fullmatch(key) else key
    return json_util.dumps(_plain(key), json_options=_JSON)


def id_of(text: str) -> Any:
    """Return the ``_id`` whose text this is."""
    if not _LIKE_ANOTHER.fullmatch(text):
        return text
    try:
        return ObjectId(text) if len(text) == 24 and text[0] not in '"{' else json_util.loads(text, json_options=_JSON)
    except (ValueError, TypeError, BSONError):
        return text


def ids_of(texts: Iterable[str]) -> list[Any]:
    """Return the ``_id`` of each text that MongoDB can be asked for."""
    return [key for key in map(id_of, texts) if is_askable(key)]


def is_askable(key: Any) -> bool:
    """Return whether a document can be asked for by this ``_id``: not where it holds text that is not UTF-8."""
    if isinstance(key, ObjectId):
        return True
    try:
        bson.encode({"_id": key})
    except (UnicodeError, BSONError):
        return False
    return True


def as_uuid(value: Any) -> UUID | None:
    """Return a BSON UUID as Python's; None for any other value, and for binary of that subtype but another length."""
    if isinstance(value, Binary) and value.subtype == UUID_SUBTYPE and len(value) == 16:
        return UUID(bytes=bytes(value))
    return value if isinstance(value, UUID) else None


def _plain(value: Any) -> Any:
    """Return a value with its UUIDs and numbers in the one way they are written."""
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
    """Return a number as the first of these types that holds exactly it: whole number, double, decimal."""
    if exact.is_nan():
        return float("nan")
    if abs(exact) < 1 << 63 and exact == exact.to_integral_value():
        return int(exact)
    return float(exact) if float(exact) == exact else Decimal128(exact.normalize(_ALL_DIGITS))
