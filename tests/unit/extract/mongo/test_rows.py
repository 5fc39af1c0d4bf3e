"""Documents as rows: fields of the contract, keys of any type, misfits by name; the documents that a range selects."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Int64, ObjectId

from promptsales.extract.mongo.ids import format_id, parse_id
from promptsales.extract.mongo.rows import RowMaker
from promptsales.extract.mongo.selection import make_range_check
from promptsales.hashing.hashes import Key
from promptsales.specs.feed import contract
from tests.support.vectors import KEY

PROMPTS = contract("prompts")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
USER = UUID(int=7)


def row(**fields: Any) -> dict[str, Any]:
    document = {
        "_id": ObjectId("6b990802498ab72fe8f9e9fb"),
        "user_id": str(USER),
        "tool": "x",
        "timestamp": NOON,
        **fields,
    }
    return dict(zip((*PROMPTS.column_names, "misfits"), RowMaker(PROMPTS, Key(4, KEY)).make_row(document), strict=True))


def test_a_field_nobody_names_is_left_out() -> None:
    assert "secret" not in str(row(whatever="secret", input_prompt="secret", output_response="secret"))


def test_misfits_are_null_and_named() -> None:
    converted = row(tokens_used="many", input_prompt=5, cost=None)
    assert (converted["tokens_used"], converted["input_hmac"], converted["input_length"]) == (None, None, None)
    assert converted["misfits"] == ["type_mismatch: input_prompt", "type_mismatch: tokens_used"]


def test_a_field_inside_of_no_document_is_a_misfit() -> None:
    assets = contract("content_assets")
    converted = RowMaker(assets, Key(4, KEY)).make_row({"_id": "a", "metadata": "1080x1080"})
    assert converted[-1] == [f"type_mismatch: metadata.{name}" for name in ("width", "height", "format", "size_bytes")]


def test_only_named_fields_are_asked_for() -> None:
    assert RowMaker(PROMPTS, Key(4, KEY)).projection.keys() == {
        "_id", "user_id", "tool", "input_prompt", "output_response", "tokens_used", "cost", "timestamp", "asset_id"
    }  # fmt: skip


UUID_BINARY = Binary.from_uuid(USER)
OBJECT_ID = "6b990802498ab72fe8f9e9fb"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("text", "text"),
        (ObjectId(OBJECT_ID), OBJECT_ID),
        (OBJECT_ID, f'"{OBJECT_ID}"'),
        (OBJECT_ID.upper(), OBJECT_ID.upper()),
        (str(USER), str(USER)),
        (UUID_BINARY, f'{{"$uuid": "{USER}"}}'),
        ("7", "7"),
        (7, '{"$numberInt": "7"}'),
        (7.0, '{"$numberInt": "7"}'),
        (-0.0, '{"$numberInt": "0"}'),
        (Int64(7), '{"$numberInt": "7"}'),
        (Decimal128("70E-1"), '{"$numberInt": "7"}'),
        (Decimal128("7.5"), '{"$numberDouble": "7.5"}'),
        (7.1, '{"$numberDouble": "7.1"}'),
        (Decimal128("7.10"), '{"$numberDecimal": "7.1"}'),
        (Decimal128("9" * 34), '{"$numberDecimal": "' + "9" * 34 + '"}'),
        (Decimal128("1E+6000"), '{"$numberDecimal": "1E+6000"}'),
        (Decimal128("NaN"), '{"$numberDouble": "NaN"}'),
        (float("-inf"), '{"$numberDouble": "-Infinity"}'),
        (1 << 40, '{"$numberLong": "1099511627776"}'),
        (None, "null"),
        ("null", '"null"'),
        (True, "true"),
        ({"a": 1.0, "b": [None, "x"]}, '{"a": {"$numberInt": "1"}, "b": [null, "x"]}'),
        ("{broken", '"{broken"'),
        ("a\0b", '"a\\u0000b"'),
        ("a\udcff", '"a\\udcff"'),
        (NOON, '{"$date": {"$numberLong": "1795435200000"}}'),
        (b"\x01", '{"$binary": {"base64": "AQ==", "subType": "00"}}'),
    ],
)
def test_a_key_has_one_text_and_is_read_from_it(key: Any, text: str) -> None:
    assert format_id(key) == text
    assert format_id(parse_id(text)) == text


def test_numbers_beyond_doubles_are_told_apart() -> None:
    assert len({format_id(Decimal128(text)) for text in ("0.1", "1E-6000", "1E+6000", "9007199254740993.5")}) == 4
    assert format_id(Decimal128("0.1")) != format_id(0.1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, True),
        (NOON + timedelta(hours=1), False),
        ("2026-11-23T14:30:00+02:00", True),
        ("2026-11-23T12:30:00+02:00", False),
        ("yesterday", False),
        (None, False),
    ],
)
def test_range(value: Any, expected: bool) -> None:
    assert make_range_check("timestamp", NOON, NOON + timedelta(hours=1))({"timestamp": value}) is expected
