"""Ids of documents: different BSON types are different keys, equal numbers are the same key, and no id stops a load."""

import uuid
from datetime import UTC, datetime
from typing import Any

import bson
import psycopg
from bson import Binary, Decimal128, Int64, ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from promptsales.extract.sources import Source
from promptsales.feeds.models import LoadResult
from promptsales.load.steps import load
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits
from promptsales.specs.feed import contract
from tests.support.content import in_core, in_quarantine, prompt

Documents = Database[dict[str, Any]]
HEX, UUID_TEXT = "65a0000000000000000000ff", "12345678-1234-5678-1234-567812345678"


def run(source: Source, warehouse: psycopg.Connection) -> LoadResult:
    return load(contract("prompts"), source, warehouse, None, "test", Limits(share=1))


def insert_raw(documents: Documents, identifier: bytes, **fields: Any) -> None:
    """Insert a document whose ``_id`` has these bytes as text, as a driver does that does not check UTF-8."""
    text = bson.encode({"_id": "x" * len(identifier), **prompt(**fields)})
    raw = text.replace(b"x" * len(identifier) + b"\0", identifier + b"\0", 1)
    documents.prompt_history.with_options(codec_options=bson.DEFAULT_CODEC_OPTIONS).insert_one(RawBSONDocument(raw))


def test_a_deleted_object_id_leaves_the_text_of_the_same_digits(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    run(content, warehouse)
    documents.prompt_history.insert_one(prompt(_id=ObjectId(HEX), tool="object"))
    documents.prompt_history.insert_one(prompt(_id=HEX, tool="text"))
    documents.prompt_history.delete_one({"_id": ObjectId(HEX)})
    run(content, warehouse)
    assert {row["tool"] for row in in_core(warehouse, "prompts").values()} == {"text"}


def test_each_type_has_keys_of_its_own(documents: Documents, content: Source, warehouse: psycopg.Connection) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ids: list[Any] = [
        *(ObjectId(HEX), HEX, Binary.from_uuid(uuid.UUID(UUID_TEXT)), UUID_TEXT),
        *(1, "1", '{"$numberInt": "1"}', 1.5, "1.5"),
        *(None, "null", True, "true", moment, moment.isoformat(), b"\x01", Binary(b"\x01", 5), {"a": 1}, "{'a': 1}"),
        *(Decimal128("0.1"), 0.1, float("nan"), "NaN", "", '""'),
    ]
    run(content, warehouse)
    documents.prompt_history.insert_many([prompt(_id=key, tool=f"tool {number}") for number, key in enumerate(ids)])
    assert run(content, warehouse).inserted == len(ids)
    assert {row["tool"] for row in in_core(warehouse, "prompts").values()} == {f"tool {n}" for n in range(len(ids))}
    assert in_core(warehouse, "prompts").keys() >= {HEX, UUID_TEXT, "1", "1.5", ""}

    reconcile(contract("prompts"), content, warehouse, "test", Limits(share=1))
    assert len(in_core(warehouse, "prompts")) == len(ids)
    documents.prompt_history.delete_many({"_id": {"$in": ids[::2]}})
    run(content, warehouse)
    left = {row["tool"] for row in in_core(warehouse, "prompts").values()}
    assert left == {f"tool {number}" for number in range(1, len(ids), 2)}


def test_numbers_of_one_value_are_one_key(documents: Documents, content: Source, warehouse: psycopg.Connection) -> None:
    run(content, warehouse)
    for number in (1, 1.0, Int64(1), Decimal128("1.0"), Decimal128("10E-1")):
        documents.prompt_history.delete_many({})
        documents.prompt_history.insert_one(prompt(_id=number, tool=repr(number)))
        run(content, warehouse)
        assert [row["tool"] for row in in_core(warehouse, "prompts").values()] == [repr(number)]
    assert in_core(warehouse, "prompts", deleted=True) == {}


def test_ids_that_are_not_utf8_are_quarantined(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    insert_raw(documents, b"first \xff")
    insert_raw(documents, b"first \xfe")
    run(content, warehouse)
    insert_raw(documents, b"then \xff")
    documents.prompt_history.insert_one(prompt(_id="sound"))
    run(content, warehouse)
    assert in_core(warehouse, "prompts").keys() == {"sound"}
    held = {r'"first \udcff"', r'"first \udcfe"', r'"then \udcff"'}
    assert in_quarantine(warehouse, "prompts").keys() == held
    assert all("type_mismatch: _id" in rules for rules in in_quarantine(warehouse, "prompts").values())
    assert run(content, warehouse).extracted == 0

    reconcile(contract("prompts"), content, warehouse, "test", Limits(share=1))
    assert in_quarantine(warehouse, "prompts").keys() == held
    documents.prompt_history.delete_many({"_id": {"$ne": "sound"}})
    run(content, warehouse)
    assert in_quarantine(warehouse, "prompts") == {}


def test_a_field_that_is_not_utf8_is_quarantined(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    for number, field in enumerate(("tool", "input_prompt", "asset_id")):
        insert_raw(documents, b"sound", **{field: "yyyy"})
        raw = documents.prompt_history.with_options(
            codec_options=bson.CodecOptions(document_class=RawBSONDocument)
        ).find_one({"_id": "sound"})
        assert raw is not None
        documents.prompt_history.delete_one({"_id": "sound"})
        bad = bytes(raw.raw).replace(b"sound", b"bad %d" % number).replace(b"yyyy", b"y\xff\xfey")
        documents.prompt_history.insert_one(RawBSONDocument(bad))
    run(content, warehouse)
    assert in_core(warehouse, "prompts") == {}
    assert in_quarantine(warehouse, "prompts").keys() == {"bad 0", "bad 1", "bad 2"}


def test_a_drain_ends_when_a_document_is_not_found_by_its_id(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    run(content, warehouse)
    documents.prompt_history.insert_one(prompt(_id=Binary(b"abc", 4), tool="three bytes for a UUID"))
    documents.prompt_history.insert_one(
        prompt(_id="sound", asset_id=Binary(b"abc", 4)), bypass_document_validation=True
    )
    run(content, warehouse)
    assert len(in_core(warehouse, "prompts")) + len(in_quarantine(warehouse, "prompts")) == 2
