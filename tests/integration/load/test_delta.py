"""A feed follows its source: first load, delta, empty delta, late commits, ties, windows, deletes."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.errors import SourceRefused
from promptsales.feeds.models import LoadResult, Window
from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")
COUNTS = ("extracted", "inserted", "updated", "unchanged", "quarantined", "suppressed")


def run(source: psycopg.Connection, warehouse: psycopg.Connection, window: Window | None = None) -> LoadResult:
    return load(LEADS, source, warehouse, window, "test")


def counts(result: LoadResult) -> tuple[int, ...]:
    return tuple(getattr(result, name) for name in COUNTS)


def write_counters(warehouse: psycopg.Connection, admin: psycopg.Connection) -> list[tuple[object, ...]]:
    warehouse.execute("select pg_stat_force_next_flush()")
    return admin.execute(
        "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables "
        "where schemaname in ('core', 'marts') order by 1"
    ).fetchall()


def test_first_load_then_delta(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    ids = leads.add(
        crm, 20, email=" Ann@Example.COM ", phone="+44 (0) 20 7946", click_id="gclid-1", company_name="Acme"
    )
    leads.add(crm, 2, email="no address", phone="", click_id=" ")
    assert counts(run(source, warehouse)) == (22, 22, 0, 0, 0, 0)
    leads.assert_equal_to_source(crm, warehouse, stack)

    crm.execute("update crm.leads set status = 'working', score = 7 where id = any(%s)", [ids[:3]])
    leads.add(crm, 1)
    # the 19 others are younger than the frontier's margin, so they are read again and equal core
    assert counts(run(source, warehouse)) == (23, 1, 3, 19, 0, 0)
    leads.assert_equal_to_source(crm, warehouse, stack)
    history = warehouse.execute(
        "select status, valid_from = '-infinity', valid_to = 'infinity' from core.leads_history "
        "where lead_id = %s order by valid_from",
        [ids[0]],
    ).fetchall()
    assert history == [("new", True, False), ("working", False, True)]


def test_history_goes_on_where_core_lost_a_row(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    same, changed = leads.add(crm, 2)
    run(source, warehouse)
    admin.execute("delete from core.leads")
    crm.execute("update crm.leads set status = 'working' where id = %s", [changed])
    assert run(source, warehouse).inserted == 2
    leads.assert_equal_to_source(crm, warehouse, stack)
    versions = warehouse.execute(
        "select lead_id, array_agg(status::text order by valid_from) from core.leads_history group by lead_id"
    ).fetchall()
    assert dict(versions) == {same: ["new"], changed: ["new", "working"]}


def test_nothing_new_writes_nothing_and_checks_nothing(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 5)
    run(source, warehouse)
    before = write_counters(warehouse, admin)
    steps: list[str] = []
    result = load(LEADS, source, warehouse, None, "test", on_step=steps.append)
    assert steps == ["extract"]
    assert counts(result) == (5, 0, 0, 5, 0, 0)
    assert write_counters(warehouse, admin) == before
    assert admin.execute("select distinct extraction from ops.check_result").fetchall() == [(1,)]
    assert admin.execute("select count(*) from ops.load").fetchone() == (2,)


def test_late_commit_is_found_by_the_next_run(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    with psycopg.connect(stack.address("promptcrm")) as late:
        leads.add(late, 3, email="late@example.com")
        leads.add(crm, 2)  # committed before, stamped after
        first = run(source, warehouse)
        late.commit()
    assert first.inserted == 3
    assert run(source, warehouse).inserted == 3
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_open_transaction_holds_the_watermark_and_is_named(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptcrm"), application_name="forgotten editor") as open_one:
        (began,) = open_one.execute("select now()").fetchone() or (None,)
        leads.add(crm, 1)
        result = run(source, warehouse)
        assert began is not None
        assert result.complete_through == began - timedelta(seconds=5)
        (held_by,) = warehouse.execute("select held_by from ops.feed where feed = 'leads'").fetchone() or ("",)
    assert "promptcrm_owner" in held_by


def test_prepared_transaction_holds_the_watermark_but_not_the_load(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    before = run(source, warehouse).complete_through
    with psycopg.connect(stack.address("promptcrm")) as application:
        application.tpc_begin("pending")
        leads.add(application, 2)
        application.tpc_prepare()
        leads.add(crm, 1)
        held = run(source, warehouse)
        assert (held.inserted, held.complete_through) == (1, before)
        application.tpc_commit()
    assert run(source, warehouse).inserted == 2
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_window_replays_its_rows_and_leaves_the_watermark(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    leads.add(crm, 4)
    run(source, warehouse)
    before = admin.execute("select last_sync_timestamp, complete_through from ops.feed").fetchone()
    (start, end) = crm.execute("select min(updated_at), max(updated_at) from crm.leads").fetchone() or (None, None)
    assert start is not None
    assert end is not None
    admin.execute("delete from core.leads")
    admin.execute("delete from core.leads_history")
    # half-open: the last row is at the end, so outside
    assert counts(run(source, warehouse, Window(start=start, end=end))) == (3, 3, 0, 0, 0, 0)
    assert counts(run(source, warehouse, Window(start=start, end=end + timedelta(microseconds=1)))) == (
        4,
        1,
        0,
        3,
        0,
        0,
    )
    assert admin.execute("select last_sync_timestamp, complete_through from ops.feed").fetchone() == before
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_rows_of_erased_persons_stay_out(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    gone, stays = leads.add(crm, 2)
    admin.execute("insert into ops.suppression (feed, key) values ('leads', %s)", [str(gone)])
    assert counts(run(source, warehouse)) == (2, 1, 0, 0, 0, 1)
    assert leads.in_core(warehouse).keys() == {stays}


def test_soft_delete_at_the_source_arrives(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (lead,) = leads.add(crm, 1, phone="1")
    run(source, warehouse)
    crm.execute("update crm.leads set deleted_at = now(), email = null, phone = null where id = %s", [lead])
    run(source, warehouse)
    row = leads.in_core(warehouse)[lead]
    assert (row["email_hmac"], row["phone_hmac"], row["deleted_at"] is not None) == (None, None, True)
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_touched_days_are_noted(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1, created_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    run(source, warehouse)
    touched = warehouse.execute("select core_table, entity_id, day::text from ops.touched").fetchall()
    assert touched == [("leads", "*", "2026-03-01")]


def test_hidden_sessions_are_refused(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    admin_address = make_conninfo(stack.address("sources_admin"), dbname="promptcrm")
    with psycopg.connect(admin_address, autocommit=True) as blind:
        blind.execute("set track_activities = off")
        blind.execute("select 1")
        with pytest.raises(SourceRefused, match="frontier cannot be known"):
            run(source, warehouse)
    assert leads.in_core(warehouse) == {}


def test_a_row_that_ties_with_the_watermark_is_read_again(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (loaded,) = leads.add(crm, 1)
    run(source, warehouse)
    # another row of the same microsecond, which the load did not see, and an earlier one, which it saw
    tied, before = leads.add(crm, 2, created_at="2020-01-01")
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        (at,) = admin.execute("select updated_at from crm.leads where id = %s", [loaded]).fetchone() or (None,)
        admin.execute("update crm.leads set updated_at = %s where id = %s", [at, tied])
        admin.execute(
            "update crm.leads set updated_at = %s::timestamptz - interval '1 microsecond' where id = %s", [at, before]
        )
    warehouse.execute("update ops.feed set last_sync_timestamp = %s", [at])
    assert counts(run(source, warehouse)) == (2, 1, 0, 1, 0, 0)
    assert leads.in_core(warehouse).keys() == {loaded, tied}
