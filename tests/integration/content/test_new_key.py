"""A new hashing key reaches a collection: everything is hashed again, and a delete meanwhile is not missed."""

import hashlib
import hmac
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from promptsales.errors import SourceRefused
from promptsales.extract.mongo.reader import Content
from promptsales.extract.sources import Source
from promptsales.hashing.hashes import Key
from promptsales.load.steps import load
from promptsales.specs.feed import contract
from tests.support.content import in_core, prompt

PROMPTS = contract("prompts")
NEW = bytes(range(40, 72))
CHECK = hmac.new(NEW, b"check\0promptsales", hashlib.sha256).digest()


def input_hmac(key: bytes, document: dict[str, Any]) -> bytes:
    return hmac.new(key, b"text\0" + document["input_prompt"].encode(), hashlib.sha256).digest()


def test_all_of_it_is_hashed_anew(
    documents: Database[dict[str, Any]], content: Source, admin: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    assert isinstance(content, Content)
    kept, changed, gone = (prompt(_id=name, input_prompt=f"About {name}.") for name in ("kept", "changed", "gone"))
    documents.prompt_history.insert_many([kept, changed, gone])
    load(PROMPTS, content, warehouse, None, "test")
    documents.prompt_history.delete_one({"_id": "gone"})
    documents.prompt_history.update_one({"_id": "changed"}, {"$set": {"tool": "another"}})
    rekeyed = content._replace(key=Key(2, NEW))
    with pytest.raises(SourceRefused, match="key"):
        load(PROMPTS, rekeyed, warehouse, None, "nobody announced it")

    admin.execute("insert into ops.pii_rotation (kid, check_hmac, bridge_days) values (2, %s, 1)", [CHECK])
    load(PROMPTS, rekeyed, warehouse, None, "test")
    core = in_core(warehouse, "prompts")
    assert {key: (row["tool"], row["pii_kid"], row["input_hmac"]) for key, row in core.items()} == {
        "kept": ("gpt-5", 2, input_hmac(NEW, kept)),
        "changed": ("another", 2, input_hmac(NEW, changed)),
    }
    (left,) = in_core(warehouse, "prompts", deleted=True).values()
    assert (left["prompt_id"], left["pii_kid"], left["input_hmac"], left["output_hmac"]) == ("gone", 2, None, None)
    bridge = admin.execute("select old_hmac, new_hmac from ops.pii_bridge where column_name = 'input_hmac'").fetchall()
    old = content.key.key
    assert sorted(bridge) == sorted((input_hmac(old, text), input_hmac(NEW, text)) for text in (kept, changed))
    assert load(PROMPTS, rekeyed, warehouse, None, "once more").extracted == 0
