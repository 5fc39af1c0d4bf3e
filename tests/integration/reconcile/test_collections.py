"""A collection is compared like a table: changes that its change stream missed are found and fixed."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from promptsales.errors import BatchBlocked, SourceRefused
from promptsales.extract.mongo.change_stream import read_current_token
from promptsales.extract.mongo.reader import Content
from promptsales.extract.sources import Source
from promptsales.feeds.models import LoadResult
from promptsales.hashing.hashes import Key
from promptsales.load.steps import load
from promptsales.reconcile.settle import Reconciliation, reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support.content import MORNING, USER, assert_equal_to_source, asset, in_core, in_quarantine, prompt

Documents = Database[dict[str, Any]]
NOTHING = {"gone": 0, "deleted": 0, "missing": 0, "differing": 0, "silent": 0, "pending": 0}


def run(source: Source, warehouse: psycopg.Connection, feed: str) -> LoadResult:
    return load(contract(feed), source, warehouse, None, "test")


def compared(source: Source, warehouse: psycopg.Connection, feed: str, limits: Limits | None = None) -> Reconciliation:
    comparison = reconcile(contract(feed), source, warehouse, "test", limits or Limits())
    assert comparison is not None
    return comparison


def judged(comparison: Reconciliation) -> dict[str, int]:
    return {name: getattr(comparison, name) for name in NOTHING}


def sums(warehouse: psycopg.Connection) -> list[Any]:
    query = (
        "select is_success, on_fail from ops.check_result where feed = 'prompts' and rule = 'cost_amount_sum_differs'"
        " order by check_result_id"
    )
    return warehouse.execute(query.encode()).fetchall()


def untold(documents: Documents, admin: psycopg.Connection, collection: str, change: Callable[[], object]) -> None:
    """Change a collection in the gap after a lost token: the stream continues behind it."""
    change()
    admin.execute("update ops.feed set resume_token = %s::jsonb", [read_current_token(documents[collection])])


def test_equal_sides_are_equal_whatever_the_documents_are_written_like(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    written = [
        asset(),
        asset(_id="text", created_at="2026-03-01T10:00:00+01:00", updated_at="2026-03-01T10:00:00.5Z", tags=None),
        asset(_id="bad", status="lost", metadata={"width": "wide"}),  # in quarantine, with a field of a wrong type
        asset(_id="deleted"),
    ]
    documents.content_assets.insert_many(written, bypass_document_validation=True)
    run(content, warehouse, "content_assets")
    documents.content_assets.delete_one({"_id": "deleted"})
    run(content, warehouse, "content_assets")
    warehouse.execute("set timezone = 'Asia/Kolkata'; set datestyle = 'German'")

    comparison = compared(content, warehouse, "content_assets")
    assert (comparison.source_rows, comparison.warehouse_rows, comparison.unequal_buckets) == (3, 3, 0)
    assert judged(comparison) == NOTHING
    # the comparison is rolled back
    query = b"select count(*) from staging.promptcontent__content_assets where _load_id = 0"
    assert warehouse.execute(query).fetchone() == (0,)


def test_what_the_stream_did_not_tell_is_mended(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    prompts = documents.prompt_history
    prompts.insert_many([prompt(_id=name) for name in ("gone", "changed", "fine")])
    prompts.insert_one(prompt(_id="gone and bad", tokens_used=-1))
    run(content, warehouse, "prompts")
    assert in_quarantine(warehouse, "prompts").keys() == {"gone and bad"}

    def change() -> None:
        prompts.delete_many({"_id": {"$regex": "gone"}})
        prompts.update_one({"_id": "changed"}, {"$set": {"cost": 7.25}})
        prompts.insert_one(prompt(_id="missing"))

    untold(documents, admin, "prompt_history", change)
    assert run(content, warehouse, "prompts").extracted == 0  # a load sees none of these changes

    comparison = compared(content, warehouse, "prompts")
    assert judged(comparison) == {**NOTHING, "gone": 2, "deleted": 2, "missing": 1, "silent": 1}
    assert sums(warehouse) == [(False, "block")]
    assert in_core(warehouse, "prompts", deleted=True).keys() == {"gone"}
    assert in_quarantine(warehouse, "prompts") == {}
    asked = warehouse.execute("select key, reason from ops.reread order by key").fetchall()
    assert asked == [("changed", "silent"), ("missing", "missing")]

    result = run(content, warehouse, "prompts")
    assert (result.extracted, result.inserted, result.updated) == (2, 1, 1)
    assert_equal_to_source(documents, warehouse, stack, "prompts")
    again = compared(content, warehouse, "prompts")
    assert (judged(again), again.extraction) == (NOTHING, None)
    assert sums(warehouse) == [(False, "block"), (True, "block")]


def test_what_the_next_load_reads_anyway_is_no_fault(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.content_assets.insert_many([asset(_id=name) for name in ("deleted", "changed", "fine")])
    run(content, warehouse, "content_assets")
    documents.content_assets.delete_one({"_id": "deleted"})
    documents.content_assets.update_one({"_id": "changed"}, {"$set": {"status": "approved"}})  # its cursor did not move
    documents.content_assets.insert_one(asset(_id="new"))

    comparison = compared(content, warehouse, "content_assets")
    assert judged(comparison) == {**NOTHING, "pending": 3}
    assert (comparison.source_rows, comparison.warehouse_rows) == (1, 1)
    run(content, warehouse, "content_assets")
    assert_equal_to_source(documents, warehouse, stack, "content_assets")


def test_an_emptied_collection_deletes_nothing(
    documents: Documents, content: Source, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    documents.prompt_history.insert_many([prompt() for _ in range(10)])
    run(content, warehouse, "prompts")
    untold(documents, admin, "prompt_history", lambda: documents.prompt_history.delete_many({}))
    told = "10 of 10 rows are gone at the source, more than 20% and at least 5 rows block a batch; nothing is deleted"
    with pytest.raises(BatchBlocked, match=told):
        compared(content, warehouse, "prompts", Limits(share=0.2, rows=5))
    assert len(in_core(warehouse, "prompts")) == 10


def test_erased_persons_are_not_missing_and_who_names_them_does_not_differ(
    documents: Documents, content: Source, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt())
    admin.execute("insert into ops.suppression (feed, key) values ('users', %s)", [str(USER)])
    run(content, warehouse, "prompts")
    assert judged(compared(content, warehouse, "prompts")) == NOTHING


def test_what_cannot_be_compared_is_refused(
    documents: Documents, content: Source, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt(timestamp=MORNING))
    assert reconcile(contract("prompts"), content, warehouse, "test", Limits()) is None  # never loaded
    run(content, warehouse, "prompts")
    assert isinstance(content, Content)
    with pytest.raises(SourceRefused, match="hashes with another key"):
        compared(content._replace(key=Key(1, b"k" * 32)), warehouse, "prompts")
    admin.execute("update ops.feed set resume_token = null")
    with pytest.raises(SourceRefused, match=r"cannot be known .*`promptsales load prompts` first"):
        compared(content, warehouse, "prompts")
