"""Thousands of random bad documents, written past the validators: nothing fails, and no good document is lost."""

import uuid
from copy import deepcopy
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from pymongo.database import Database

from promptsales.extract.sources import Source
from promptsales.feeds.models import LoadResult
from promptsales.load.steps import load
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import content as support

BAD, GOOD, LATER = 4_000, 100, 400
Document = dict[str, Any]

SOUND = {"content_assets": support.asset, "prompts": support.prompt}
COLLECTION = {"content_assets": "content_assets", "prompts": "prompt_history"}
WILD: tuple[Any, ...] = (
    *(None, True, 0, -1, 7.5, float("nan"), float("inf"), -float("inf"), 1e308, Int64(1 << 62), Int64(-(1 << 63))),
    *(Decimal128("NaN"), Decimal128("-Infinity"), Decimal128("9" * 34), Decimal128("1E-6000")),
    *("", " ", "\0", "%s", "{batch}", "$where", "NULL", "nan", "\u202eabc", "\U0001f600", "2026-13-01", "x" * 20_000),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-02", "not-a-uuid", str(uuid.UUID(int=7))),
    *(DatetimeMS(-(1 << 62)), DatetimeMS(1 << 62), datetime(1, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)),
    *([], [[]], ["a", 5], ["x" * 9_000] * 2, {}, {"a": {"b": [None]}}, {"$ref": "x"}, b"\xff\x00"),
    *(ObjectId("6b990802498ab72fe8f9e9fb"), Binary.from_uuid(uuid.UUID(int=9))),
    *(Binary(b"abc", 4 + 128), Regex("a(b"), Timestamp(1, 1)),
    MaxKey(),
)  # fmt: skip
IDS: tuple[Any, ...] = (5, 7.5, True, "", " ", {"a": 1}, b"\x01", datetime(2026, 1, 1, tzinfo=UTC), "i" * 3_000)


def places(document: Document, within: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the paths of all fields but project_id: if many documents lacked that, the batch would be blocked."""
    paths: list[tuple[str, ...]] = []
    for name, value in (item for item in document.items() if item[0] != "project_id"):
        paths += [(*within, name), *(places(value, (*within, name)) if isinstance(value, dict) else ())]
    return paths


def bad(feed: str, rng: Random) -> Document:
    """Return a sound document with one to four random or missing fields; one document in a hundred has a random id."""
    document = deepcopy(SOUND[feed]())
    for path in rng.sample(places(document), rng.randint(1, 4)):
        holder = document
        for name in path[:-1]:
            holder = holder.get(name) if isinstance(holder, dict) else None  # type: ignore[assignment]
        if not isinstance(holder, dict):
            continue
        if rng.random() < 0.1:
            holder.pop(path[-1], None)
        else:
            holder[path[-1]] = rng.choice(WILD)
    return {"_id": f"{rng.getrandbits(128):032x}"} | document


def written(documents: Database[Document], feed: str, rows: list[Document]) -> None:
    documents[COLLECTION[feed]].insert_many(rows, bypass_document_validation=True)


def assert_adds_up(result: LoadResult, extracted: int) -> None:
    parts = result.inserted + result.updated + result.unchanged + result.quarantined + result.suppressed
    assert (result.extracted, parts) == (extracted, extracted)


@pytest.mark.parametrize("feed", ["content_assets", "prompts"])
def test_bad_documents_are_held_and_good_ones_arrive(
    stack: Settings, documents: Database[Document], content: Source, warehouse: psycopg.Connection, feed: str
) -> None:
    rng = Random(feed)  # noqa: S311 -- the same documents in every run
    collection, everything = documents[COLLECTION[feed]], Limits(share=1)
    good = [SOUND[feed](_id=f"good {number}") for number in range(GOOD)]
    ids = [{"_id": key} | SOUND[feed]() for key in IDS]
    written(documents, feed, good + [bad(feed, rng) for _ in range(BAD)] + ids)
    first = load(contract(feed), content, warehouse, None, "test", everything)
    assert_adds_up(first, GOOD + BAD + len(IDS))
    assert first.quarantined > BAD / 4

    # then through the change stream: some documents change, some are deleted, others are added
    some = [document["_id"] for document in collection.find({}, {"_id": 1}) if isinstance(document["_id"], str)]
    for key in rng.sample(sorted(some), LATER):
        path = ".".join(rng.choice(places(SOUND[feed]())))
        collection.update_one(
            {"_id": key}, [{"$set": {path: {"$literal": rng.choice(WILD)}}}], bypass_document_validation=True
        )
    collection.delete_many({"_id": {"$in": [*rng.sample(sorted(some), LATER), *IDS]}})
    written(documents, feed, [bad(feed, rng) for _ in range(LATER)])
    second = load(contract(feed), content, warehouse, None, "test", everything)
    assert_adds_up(second, second.extracted)

    held = {key for key in support.in_quarantine(warehouse, feed) if not key.startswith("without key ")}
    living = {str(document["_id"]) for document in collection.find({}, {"_id": 1})}
    core = support.in_core(warehouse, feed)
    assert core.keys() | held == living
    untouched = [
        document
        for document in collection.find({"_id": {"$regex": "^good "}})
        if document == SOUND[feed](_id=document["_id"])
    ]
    assert len(untouched) > GOOD / 2
    expected = support.rows_of(untouched, stack, feed)
    assert {key: core[key] for key in expected} == expected
    assert load(contract(feed), content, warehouse, None, "test", everything).extracted == 0


def test_documents_of_any_size_are_quarantined_and_stop_nobody(
    documents: Database[Document], content: Source, warehouse: psycopg.Connection
) -> None:
    documents.content_assets.insert_many([
        support.asset(_id="good", url="https://cdn.example/" + "a" * 16_000),
        support.asset(_id="file", url="data:image/png;base64," + "A" * 1_500_000),
        support.asset(_id="tagged", tags=["tag"] * 400_000),
        support.asset(_id="i" * 3_000),
        support.asset(_id="linked", ai_generation_info={"prompt_history_id": "p" * 3_000}),
    ])  # fmt: skip
    result = load(contract("content_assets"), content, warehouse, None, "test")
    assert (result.extracted, result.inserted, result.quarantined) == (5, 1, 4)
    rules = warehouse.execute("select distinct rules from ops.quarantine order by 1").fetchall()
    assert rules == [
        (["type_mismatch: _id", "asset_id_missing"],),
        (["type_mismatch: ai_generation_info.prompt_history_id"],),
        (["type_mismatch: tags"],),
        (["type_mismatch: url", "image_without_url"],),
    ]
    assert support.in_core(warehouse, "content_assets").keys() == {"good"}
