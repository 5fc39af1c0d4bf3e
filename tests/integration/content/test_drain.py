"""A content feed follows its collection: first load, changes, deletes, windows, documents that break the contract."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from bson import Decimal128, Int64, ObjectId
from pymongo.database import Database

from promptsales.errors import BatchBlocked, SourceRefused, TransientError
from promptsales.extract.mongo.reader import Content
from promptsales.extract.sources import Source
from promptsales.feeds.models import LoadResult, Window
from promptsales.hashing.hashes import Key
from promptsales.load.steps import load, preview
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import content as support
from tests.support.content import MORNING, assert_equal_to_source, asset, in_core, in_quarantine, prompt

COUNTS = ("extracted", "inserted", "updated", "unchanged", "quarantined", "suppressed")
Documents = Database[dict[str, Any]]


def run(source: Source, warehouse: psycopg.Connection, feed: str, window: Window | None = None) -> LoadResult:
    return load(contract(feed), source, warehouse, window, "test")


def counts(result: LoadResult) -> tuple[int, ...]:
    return tuple(getattr(result, name) for name in COUNTS)


def stands(warehouse: psycopg.Connection) -> Any:
    query = "select last_sync_timestamp, complete_through, resume_token, kafka_offsets from ops.feed"
    return warehouse.execute(query).fetchone()


def test_first_load_then_changes(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    kinds = [
        asset(),
        asset(updated_at="2026-03-01T09:00:00.000+00:00", created_at="2026-03-01T10:00:00+01:00", tags=None),
        asset(_id="a text id", ai_generation_info=None, metadata=None, created_by_user_id=None),
        asset(ai_generation_info={"model": "m", "prompt_used": "", "prompt_history_id": ObjectId()}),
    ]
    ids = documents.content_assets.insert_many(kinds).inserted_ids
    assert counts(run(content, warehouse, "content_assets")) == (4, 4, 0, 0, 0, 0)
    assert_equal_to_source(documents, warehouse, stack, "content_assets")

    documents.content_assets.update_one({"_id": ids[0]}, {"$set": {"status": "approved", "approved_at": MORNING}})
    documents.content_assets.update_one({"_id": ids[0]}, {"$set": {"updated_at": MORNING + timedelta(hours=1)}})
    documents.content_assets.replace_one({"_id": ids[1]}, asset(type="text_copy", url=None))
    documents.content_assets.delete_one({"_id": ids[2]})
    documents.content_assets.insert_one(asset(_id="new"))
    documents.content_assets.insert_one(asset(_id="short-lived"))
    documents.content_assets.delete_one({"_id": "short-lived"})
    # the short-lived document is a delete of a row that core never held, so nothing changes
    assert counts(run(content, warehouse, "content_assets")) == (5, 1, 3, 1, 0, 0)
    assert_equal_to_source(documents, warehouse, stack, "content_assets")
    assert in_core(warehouse, "content_assets", deleted=True).keys() == {"a text id"}
    history = warehouse.execute(
        "select status, valid_from = '-infinity', valid_to = 'infinity' from core.content_assets_history "
        "where asset_id = %s order by valid_from",
        [str(ids[0])],
    ).fetchall()
    assert history == [("draft", True, False), ("approved", False, True)]


def test_money_and_numbers(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    costs = [0.1, 1e-6, 3, Int64(4), Decimal128("0.00000001"), None, 123456.789]
    costs += [
        2.5e-10,
        Decimal128("2.5E-10"),
        Decimal128("0.000000000001"),
    ]  # the sum is rounded, not each addend to zero
    documents.prompt_history.insert_many([prompt(cost=cost, tokens_used=2.0) for cost in costs])
    assert counts(run(content, warehouse, "prompts")) == (10, 10, 0, 0, 0, 0)
    assert_equal_to_source(documents, warehouse, stack, "prompts")
    touched = warehouse.execute("select core_table, entity_id, day::text from ops.touched").fetchall()
    assert touched == [("prompts", str(support.USER), "2026-03-01")]


@pytest.mark.parametrize(("feed", "column"), [("prompts", "user_id"), ("content_assets", "created_by_user_id")])
def test_who_names_an_erased_person_is_loaded_without_the_name(
    feed: str,
    column: str,
    documents: Documents,
    content: Source,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    documents.prompt_history.insert_one(prompt(_id="one", asset_id="an asset"))
    documents.content_assets.insert_one(asset(_id="one"))
    admin.execute("insert into ops.suppression (feed, key) values ('users', %s)", [str(support.USER)])
    assert counts(run(content, warehouse, feed)) == (1, 1, 0, 0, 0, 0)
    assert in_core(warehouse, feed)["one"][column] == uuid.UUID(int=0)


def test_a_deleted_document_may_come_back(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt(_id="one"))
    run(content, warehouse, "prompts")
    documents.prompt_history.delete_one({"_id": "one"})
    assert counts(run(content, warehouse, "prompts")) == (1, 0, 1, 0, 0, 0)
    assert in_core(warehouse, "prompts") == {}
    documents.prompt_history.insert_one(prompt(_id="one", tool="another"))
    assert counts(run(content, warehouse, "prompts")) == (1, 0, 1, 0, 0, 0)
    assert_equal_to_source(documents, warehouse, stack, "prompts")


def test_nothing_new_writes_nothing(
    documents: Documents, content: Source, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt())
    before = run(content, warehouse, "prompts")
    query = (
        "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables where schemaname = 'core' order by 1"
    )
    warehouse.execute("select pg_stat_force_next_flush()")
    counters = admin.execute(query).fetchall()
    offsets = stands(warehouse)[3]
    after = run(content, warehouse, "prompts")
    warehouse.execute("select pg_stat_force_next_flush()")
    assert (counts(after), admin.execute(query).fetchall()) == ((0, 0, 0, 0, 0, 0), counters)
    assert stands(warehouse)[3] == offsets
    assert before.complete_through is not None
    assert after.complete_through is not None
    assert after.complete_through >= before.complete_through


def test_a_write_that_changes_nothing_is_unchanged(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt(_id="one"))
    run(content, warehouse, "prompts")
    documents.prompt_history.update_one({"_id": "one"}, {"$set": {"not_in_the_contract": 1}})
    assert counts(run(content, warehouse, "prompts")) == (1, 0, 0, 1, 0, 0)


def test_window_replays_dates_and_text_and_moves_nothing(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    hours = [f"2026-03-01T{hour:02d}:00:00+00:00" for hour in range(6)]
    written = [datetime.fromisoformat(hour) if number % 2 else hour for number, hour in enumerate(hours)]
    # 02:30 UTC, from two hours further east and eight hours further west
    written += ["2026-03-01T04:30:00+02:00", "2026-02-28T18:30:00-08:00"]
    documents.prompt_history.insert_many([prompt(_id=f"p{number}", timestamp=at) for number, at in enumerate(written)])
    run(content, warehouse, "prompts")
    before = stands(warehouse)
    admin.execute("delete from core.prompts")
    window = Window(start=datetime(2026, 3, 1, 2, tzinfo=UTC), end=datetime(2026, 3, 1, 4, tzinfo=UTC))
    assert counts(run(content, warehouse, "prompts", window)) == (4, 4, 0, 0, 0, 0)
    assert in_core(warehouse, "prompts").keys() == {"p2", "p3", "p6", "p7"}
    assert counts(run(content, warehouse, "prompts", window)) == (4, 0, 0, 4, 0, 0)
    assert stands(warehouse) == before


def unchecked(documents: Documents, stack: Settings, document: dict[str, Any]) -> None:
    """Write past the validator, as an old version of the application might have."""
    from pymongo import MongoClient

    with MongoClient[dict[str, Any]](stack.address("promptcontent_admin")) as client:
        database = client["promptcontent"]
        database.command("insert", "prompt_history", documents=[document], bypassDocumentValidation=True)


def test_wrong_types_are_quarantined_then_repaired(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt(_id="good"))
    unchecked(documents, stack, prompt(_id="bad", tokens_used="many", cost="free", timestamp=7))
    unchecked(documents, stack, prompt(_id="worse", user_id=5))
    assert counts(run(content, warehouse, "prompts")) == (3, 1, 0, 0, 2, 0)
    wrong = ["type_mismatch: tokens_used", "type_mismatch: cost", "type_mismatch: timestamp", "prompted_at_missing"]
    assert in_quarantine(warehouse, "prompts") == {"bad": wrong, "worse": ["type_mismatch: user_id", "user_missing"]}
    assert_equal_to_source(documents, warehouse, stack, "prompts")

    # a field that is null now was null in the earlier version too
    repaired = {"tokens_used": None, "cost": None, "timestamp": MORNING}
    documents.prompt_history.update_one({"_id": "bad"}, {"$set": repaired})
    documents.prompt_history.delete_one({"_id": "worse"})
    assert counts(run(content, warehouse, "prompts")) == (2, 1, 0, 1, 0, 0)
    assert in_quarantine(warehouse, "prompts") == {}
    assert_equal_to_source(documents, warehouse, stack, "prompts")


def test_a_bad_new_version_leaves_the_good_one(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt(_id="one", tokens_used=None))
    run(content, warehouse, "prompts")
    good = in_core(warehouse, "prompts")
    documents.prompt_history.delete_one({"_id": "one"})
    # core has null and a misfit reads as null, but they are not equal
    unchecked(documents, stack, prompt(_id="one", tokens_used="many"))
    assert counts(run(content, warehouse, "prompts")) == (1, 0, 0, 0, 1, 0)
    assert in_core(warehouse, "prompts") == good


def test_quarantine_is_tried_again_and_released_by_hand(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt(tokens_used=-1))
    run(content, warehouse, "prompts")
    assert counts(run(content, warehouse, "prompts")) == (0, 0, 0, 0, 0, 0)
    warehouse.execute("update ops.quarantine set last_tried_at = last_tried_at - interval '25 hours'")
    assert counts(run(content, warehouse, "prompts")) == (1, 0, 0, 0, 1, 0)
    warehouse.execute("update ops.quarantine set is_waived = true")
    assert counts(run(content, warehouse, "prompts")) == (1, 1, 0, 0, 0, 0)
    assert_equal_to_source(documents, warehouse, stack, "prompts")


def test_dry_run_counts_and_writes_nothing(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_many([prompt(), prompt()])
    assert preview(contract("prompts"), content, warehouse, None).rows == 2
    assert stands(warehouse) is None
    run(content, warehouse, "prompts")
    documents.prompt_history.insert_one(prompt())
    assert preview(contract("prompts"), content, warehouse, None).rows == 1


def test_a_changed_key_is_refused(documents: Documents, content: Source, warehouse: psycopg.Connection) -> None:
    documents.prompt_history.insert_one(prompt())
    run(content, warehouse, "prompts")
    assert isinstance(content, Content)
    with pytest.raises(SourceRefused, match="another key"):
        run(content._replace(key=Key(1, bytes(range(32)))), warehouse, "prompts")


def test_a_broker_that_is_down_is_transient(
    stack: Settings, documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt())
    assert isinstance(content, Content)
    with pytest.raises(TransientError, match=r"write to promptcontent\.prompt_history: kafka"):
        run(content._replace(kafka="127.0.0.1:1"), warehouse, "prompts")
    assert counts(run(content, warehouse, "prompts")) == (1, 1, 0, 0, 0, 0)
    assert_equal_to_source(documents, warehouse, stack, "prompts")


def test_reader_cannot_write(content: Source, documents: Documents) -> None:
    from pymongo.errors import OperationFailure

    assert isinstance(content, Content)
    with pytest.raises(OperationFailure, match="not authorized"):
        content.client["promptcontent"].prompt_history.insert_one(prompt())


def test_a_delete_passes_whatever_the_rules_say_of_the_rest(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_one(prompt(_id="one", tokens_used=-1))
    run(content, warehouse, "prompts")
    warehouse.execute("update ops.quarantine set is_waived = true")
    run(content, warehouse, "prompts")  # core holds a row that breaks a rule, because it was released
    documents.prompt_history.delete_one({"_id": "one"})
    assert counts(run(content, warehouse, "prompts")) == (1, 0, 1, 0, 0, 0)
    assert in_core(warehouse, "prompts", deleted=True).keys() == {"one"}
    assert in_quarantine(warehouse, "prompts") == {}


def test_a_quarantined_document_that_is_deleted_leaves_as_deleted(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_many([prompt(_id="new", tokens_used=-1), prompt(_id="known")])
    run(content, warehouse, "prompts")
    documents.prompt_history.update_one({"_id": "known"}, {"$set": {"tokens_used": -1}})
    run(content, warehouse, "prompts")
    documents.prompt_history.delete_many({})
    run(content, warehouse, "prompts")
    closed = warehouse.execute("select key, release_reason from ops.quarantine order by key").fetchall()
    assert closed == [("known", "deleted"), ("new", "deleted")]


def test_one_asset_without_a_project_among_many_blocks_nobody(
    documents: Documents, content: Source, warehouse: psycopg.Connection
) -> None:
    documents.content_assets.insert_many([asset() for _ in range(39)])
    run(content, warehouse, "content_assets")
    documents.content_assets.insert_many([asset(project_id=None) for _ in range(2)])
    assert run(content, warehouse, "content_assets").inserted == 2  # 2 of 41
    documents.content_assets.insert_one(asset(project_id=None))
    with pytest.raises(BatchBlocked, match="project_missing"):  # 3 of 42
        run(content, warehouse, "content_assets")
