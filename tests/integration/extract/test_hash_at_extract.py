"""``hash_at: extract``: a source where nothing may be created, read by a role that may only SELECT some columns."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from promptsales.errors import SourceRefused
from promptsales.extract import delta
from promptsales.extract.relation import RelationReader
from promptsales.extract.sources import Hashing
from promptsales.feeds.models import LoadResult, Window
from promptsales.hashing.hashes import Key, active_key
from promptsales.load.steps import load
from promptsales.reconcile.original import make_original
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.column import MADE_HERE
from promptsales.specs.feed import Contract, contract
from tests.support import leads

COUNTS = ("extracted", "inserted", "updated", "unchanged", "quarantined", "suppressed")
JUDGED = ("source_rows", "warehouse_rows", "gone", "deleted", "missing", "differing", "silent", "pending")
FEED = Contract.model_validate({**contract("leads").model_dump(), "hash_at": "extract"})
READ = [column.origin for column in FEED.columns if column.transform not in MADE_HERE]


def run(
    source: Hashing, warehouse: psycopg.Connection, window: Window | None = None, feed: Contract = FEED
) -> LoadResult:
    return load(feed, source, warehouse, window, "test")


def counts(result: LoadResult) -> tuple[int, ...]:
    return tuple(getattr(result, name) for name in COUNTS)


@pytest.fixture
def crm_admin(stack: Settings) -> Iterator[psycopg.Connection]:
    address = make_conninfo(stack.address("sources_admin"), dbname="promptcrm")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


@pytest.fixture
def selects(stack: Settings, crm_admin: psycopg.Connection) -> Iterator[Hashing]:
    """Connect as a role with SELECT on the contract's columns and no other right."""
    name, word = f"select_only_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    role, columns = sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys(READ)))
    for statement in (
        sql.SQL("create role {} login password {}").format(role, sql.Literal(word)),
        sql.SQL("grant connect on database promptcrm to {}").format(role),
        sql.SQL("grant usage on schema crm to {}").format(role),
        sql.SQL("grant select ({}) on crm.leads to {}").format(columns, role),
    ):
        crm_admin.execute(statement)
    address = make_conninfo(stack.address("sources_admin"), dbname="promptcrm", user=name, password=word)
    with psycopg.connect(address, autocommit=True) as connection:
        yield Hashing(connection, active_key(stack.state / "secrets"))
    crm_admin.execute(sql.SQL("drop owned by {}").format(role))
    crm_admin.execute(sql.SQL("drop role {}").format(role))


def plant(crm: psycopg.Connection) -> list[uuid.UUID]:
    planted = leads.add(
        crm, 3, email=" Zoë@Example.COM ", phone="+44 (0) 20 7946", click_id=" c-1 ", company_name="Acme"
    )
    planted += leads.add(crm, 1, email="no address", phone="", click_id=" ", score=7, country_code="DE")
    return planted + leads.add(crm, 1, email=None, qualified_at="2039-01-01T00:00:00Z")


def test_a_feed_from_end_to_end(
    stack: Settings, crm: psycopg.Connection, selects: Hashing, warehouse: psycopg.Connection
) -> None:
    ids = plant(crm)
    assert counts(run(selects, warehouse)) == (5, 5, 0, 0, 0, 0)
    leads.assert_equal_to_source(crm, warehouse, stack)

    crm.execute("update crm.leads set status = 'working', email = 'new@example.com' where id = any(%s)", [ids[:2]])
    leads.add_bad(crm, 1)
    result = run(selects, warehouse)
    # the look-back reads all rows again
    assert counts(result) == (6, 0, 2, 3, 1, 0)
    leads.assert_equal_to_source(crm, warehouse, stack)
    assert counts(run(selects, warehouse)) == (6, 0, 0, 5, 1, 0)


def test_where_sessions_are_hidden_the_look_back_is_used_and_said(
    crm: psycopg.Connection, selects: Hashing, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    assert run(selects, warehouse).complete_through is None
    row = admin.execute("select complete_through, held_by, last_sync_timestamp from ops.feed").fetchone()
    (read_at,) = admin.execute("select read_at from ops.load").fetchone() or (None,)
    assert row is not None
    assert row[0] is None
    assert "hidden from the pipeline's role" in row[1]
    assert "1:00:00" in row[1]
    assert read_at is not None
    assert row[2] == read_at - timedelta(seconds=FEED.look_back_seconds)


def test_where_sessions_are_seen_the_frontier_is_used(
    stack: Settings, crm: psycopg.Connection, crm_admin: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    seeing = Hashing(crm_admin, active_key(stack.state / "secrets"))
    with psycopg.connect(stack.address("promptcrm"), application_name="forgotten editor") as open_one:
        (began,) = open_one.execute("select now()").fetchone() or (None,)
        assert began is not None
        assert run(seeing, warehouse).complete_through == began - timedelta(seconds=5)
        (held_by,) = warehouse.execute("select held_by from ops.feed").fetchone() or ("",)
        assert "forgotten editor" in held_by
        open_one.execute("select 1")
        before = run(seeing, warehouse).complete_through
        prepared = psycopg.connect(stack.address("promptcrm"))
        prepared.tpc_begin("pending")
        leads.add(prepared, 1)
        prepared.tpc_prepare()
        assert run(seeing, warehouse).complete_through == before
        prepared.tpc_rollback()
        prepared.close()


def test_window_leaves_the_watermark(
    crm: psycopg.Connection, selects: Hashing, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 4)
    run(selects, warehouse)
    before = admin.execute("select last_sync_timestamp, complete_through from ops.feed").fetchone()
    start, end = crm.execute("select min(updated_at), max(updated_at) from crm.leads").fetchone() or (None, None)
    assert start is not None
    assert end is not None
    admin.execute("delete from core.leads")
    admin.execute("delete from core.leads_history")
    assert counts(run(selects, warehouse, Window(start=start, end=end))) == (3, 3, 0, 0, 0, 0)
    assert admin.execute("select last_sync_timestamp, complete_through from ops.feed").fetchone() == before


def test_it_is_compared_with_its_source(
    crm: psycopg.Connection,
    crm_admin: psycopg.Connection,
    selects: Hashing,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    gone, changed, missing, *_ = plant(crm)
    (bad,) = leads.add_bad(crm, 1)
    run(selects, warehouse)
    # as if they had been loaded long ago, so that the look-back covers none of them
    admin.execute("update ops.feed set last_sync_timestamp = clock_timestamp()")
    crm.execute("delete from crm.leads where id = any(%s)", [[gone, bad]])
    admin.execute("delete from core.leads where lead_id = %s", [missing])
    crm_admin.execute("set session_replication_role = replica")
    crm_admin.execute("update crm.leads set email = 'silent@example.com' where id = %s", [changed])

    assert make_original(FEED, selects).find_existing([str(gone), str(changed)]) == {str(changed)}
    comparison = reconcile(FEED, selects, warehouse, "test", Limits())
    assert comparison is not None
    assert {name: getattr(comparison, name) for name in JUDGED} == {
        "source_rows": 4, "warehouse_rows": 5, "gone": 2, "deleted": 2, "missing": 1, "differing": 0, "silent": 1,
        "pending": 0,
    }  # fmt: skip
    # the copy of the source's rows is deleted
    assert admin.execute("select count(*) from staging.promptcrm__leads where _load_id = 0").fetchone() == (0,)
    run(selects, warehouse)
    core, source = leads.in_core(warehouse), {row[0] for row in crm.execute("select id from crm.leads")}
    assert {key for key, row in core.items() if row["deleted_at"] is None} == source
    again = reconcile(FEED, selects, warehouse, "test", Limits())
    assert again is not None
    assert (again.source_rows, again.unequal_buckets, again.extraction) == (4, 0, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("rename column score to points", "score is gone, the contract says smallint"),
        ("alter column score type integer", "score is integer, the contract says smallint"),
    ],
)
def test_drift_blocks_the_feed_by_the_name_of_the_column(
    crm_admin: psycopg.Connection, selects: Hashing, change: LiteralString, message: str
) -> None:
    reader = RelationReader(FEED, crm_admin, selects.key)
    with crm_admin.transaction(force_rollback=True):
        crm_admin.execute("drop view etl.leads")
        crm_admin.execute(sql.SQL("alter table crm.leads {}").format(sql.SQL(change)))
        with pytest.raises(SourceRefused, match=message):
            reader.refuse_drift()
    reader.refuse_drift()


def test_a_changed_key_is_refused(crm: psycopg.Connection, selects: Hashing, warehouse: psycopg.Connection) -> None:
    leads.add(crm, 1)
    run(selects, warehouse)
    with pytest.raises(SourceRefused, match="another key"):
        run(selects._replace(key=Key(1, bytes(range(32)))), warehouse)


def test_view_and_extract_hash_alike(
    crm: psycopg.Connection, source: psycopg.Connection, selects: Hashing, warehouse: psycopg.Connection
) -> None:
    plant(crm)
    load(contract("leads"), source, warehouse, None, "by the view")
    assert counts(run(selects, warehouse)) == (5, 0, 0, 5, 0, 0)


def test_a_column_dropped_with_its_view_is_named(crm_admin: psycopg.Connection, source: psycopg.Connection) -> None:
    with crm_admin.transaction(force_rollback=True):
        crm_admin.execute("alter table crm.leads drop column score cascade")
        with pytest.raises(SourceRefused, match=r"etl\.leads does not exist \(.*\), and crm\.leads has no score"):
            delta.refuse_drift(contract("leads"), crm_admin)
    delta.refuse_drift(contract("leads"), source)
