"""Documents as rows: allow-listed fields, keys of any type, misfits by name; and which documents a range selects."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from bson import ObjectId

from promptsales.content.rows import Rows, ids_of, key_text
from promptsales.content.selection import is_in
from promptsales.contracts import contract
from promptsales.pii import Key
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
    return dict(zip((*PROMPTS.column_names, "misfits"), Rows(PROMPTS, Key(4, KEY)).of(document), strict=True))


def test_a_field_nobody_names_is_left_out() -> None:
    assert "secret" not in str(row(whatever="secret", input_prompt="secret", output_response="secret"))


def test_misfits_are_null_and_named() -> None:
    found = row(tokens_used="many", input_prompt=5, cost=None)
    assert (found["tokens_used"], found["input_hmac"], found["input_length"]) == (None, None, None)
    assert found["misfits"] == ["type_mismatch: input_prompt", "type_mismatch: tokens_used"]


def test_a_field_inside_of_no_document_is_a_misfit() -> None:
    assets = contract("content_assets")
    found = Rows(assets, Key(4, KEY)).of({"_id": "a", "metadata": "1080x1080"})
    assert found[-1] == [f"type_mismatch: metadata.{name}" for name in ("width", "height", "format", "size_bytes")]


def test_only_named_fields_are_asked_for() -> None:
    assert Rows(PROMPTS, Key(4, KEY)).projection.keys() == {
        "_id", "user_id", "tool", "input_prompt", "output_response", "tokens_used", "cost", "timestamp", "asset_id"
    }  # fmt: skip


@pytest.mark.parametrize("key", ["text", ObjectId("6b990802498ab72fe8f9e9fb"), USER, 7, "7", {"a": 1}, "{broken"])
def test_a_key_is_found_again_by_its_text(key: Any) -> None:
    assert key in list(ids_of([key_text(key)]))


def test_keys_of_two_types_do_not_meet() -> None:
    assert len({key_text(key) for key in (7, "7", 7.5)}) == 3


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
    assert is_in("timestamp", NOON, NOON + timedelta(hours=1))({"timestamp": value}) is expected
