"""Changes that a watermark cannot see are found and fixed, and a second comparison finds none."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.errors import BatchBlocked, SourceRefused
from promptsales.feeds.models import LoadResult
from promptsales.load.steps import check, extract, load, publish
from promptsales.reconcile.compare import compare
from promptsales.reconcile.original import make_original
from promptsales.reconcile.settle import Reconciliation, reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")
NOTHING = {"gone": 0, "deleted": 0, "missing": 0, "differing": 0, "silent": 0}


def run(source: psycopg.Connection, warehouse: psycopg.Connection) -> LoadResult:
    return load(LEADS, source, warehouse, None, "test")


def compared(source: psycopg.Connection, warehouse: psycopg.Connection) -> Reconciliation:
    comparison = reconcile(LEADS, source, warehouse, "test", Limits())
    assert comparison is not None
    return comparison


def judged(comparison: Reconciliation) -> dict[str, int]:
    return {name: getattr(comparison, name) for name in NOTHING}


def pass_the_watermark(admin: psycopg.Connection) -> None:
    """Make all rows look as if they had been loaded long ago, so that the frontier's margin covers none."""
    admin.execute("update ops.feed set last_sync_timestamp = clock_timestamp(), complete_through = clock_timestamp()")


def change_silently(stack: Settings, statement: str, *values: object) -> None:
    """Change the CRM with its triggers switched off."""
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute(statement.encode(), values)


def test_equal_sides_are_equal_whatever_the_sessions_write_values_like(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 3, email="Ä@example.com", phone="+1", company_name='a "b", (c)', job_title="", country_code="DE")
    leads.add_bad(crm, 2)  # in quarantine, as payload
    run(source, warehouse)
    source.execute("set timezone = 'Asia/Kolkata'; set datestyle = 'German'; set bytea_output = 'escape'")
    warehouse.execute("set timezone = 'America/New_York'; set extra_float_digits = -3")
    comparison = compared(source, warehouse)
    assert (comparison.source_rows, comparison.warehouse_rows, comparison.unequal_buckets) == (5, 5, 0)
    assert judged(comparison) == NOTHING


def test_hard_deletes_are_soft_in_core_and_stay_so(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    gone, stays = leads.add(crm, 2, created_at="2026-01-02")
    (bad,) = leads.add_bad(crm, 1)
    run(source, warehouse)
    warehouse.execute("delete from ops.touched")
    crm.execute("delete from crm.leads where id = any(%s)", [[gone, bad]])

    comparison = compared(source, warehouse)
    assert judged(comparison) == {**NOTHING, "gone": 2, "deleted": 2}
    core = leads.in_core(warehouse)
    assert {key: row["deleted_at"] is not None for key, row in core.items()} == {gone: True, stays: False}
    assert leads.in_quarantine(warehouse) == set()
    assert warehouse.execute("select entity_id, day::text from ops.touched").fetchall() == [("*", "2026-01-02")]
    audit = warehouse.execute("select extraction, extracted, updated from ops.load where mode = 'reconcile'").fetchall()
    assert audit == [(2, 1, 1)]

    again = compared(source, warehouse)
    assert (judged(again), again.extraction, again.unequal_buckets) == (NOTHING, None, 0)
    assert run(source, warehouse).updated == 0
    recorded = warehouse.execute("select gone, deleted from ops.reconciliation order by 1 desc").fetchall()
    assert recorded == [(2, 2), (0, 0)]


def test_a_row_that_comes_back_lives_again(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (lead,) = leads.add(crm, 1)
    run(source, warehouse)
    crm.execute("delete from crm.leads where id = %s", [lead])
    compared(source, warehouse)
    leads.add(crm, 1, id=lead)
    assert run(source, warehouse).updated == 1
    leads.assert_equal_to_source(crm, warehouse, stack)
    assert judged(compared(source, warehouse)) == NOTHING


def test_a_load_that_read_the_row_before_cannot_bring_it_back(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (gone,) = leads.add(crm, 1)
    run(source, warehouse)
    crm.execute("update crm.leads set score = 1 where id = %s", [gone])
    leads.add(crm, 1)
    staged = extract(LEADS, source, warehouse, None, "slow")
    crm.execute("delete from crm.leads where id = %s", [gone])
    assert compared(source, warehouse).deleted == 1
    result = publish(LEADS, warehouse, staged, check(LEADS, warehouse, staged))
    assert (result.inserted, result.updated) == (1, 0)  # the other row is not delayed
    assert leads.in_core(warehouse)[gone]["deleted_at"] is not None


def test_silent_changes_are_reported_and_loaded(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    by_hand, restored, fine = leads.add(crm, 3)
    run(source, warehouse)
    pass_the_watermark(admin)
    change_silently(stack, "update crm.leads set score = 9 where id = %s", by_hand)
    change_silently(
        stack,
        "update crm.leads set score = 8, updated_at = '2026-01-01', created_at = '2026-01-01' where id = %s",
        restored,
    )
    assert run(source, warehouse).extracted == 0
    pass_the_watermark(admin)

    assert judged(compared(source, warehouse)) == {**NOTHING, "silent": 2}
    asked = warehouse.execute("select key, reason from ops.reread order by key").fetchall()
    assert asked == sorted([(str(by_hand), "silent"), (str(restored), "silent")])
    assert judged(compared(source, warehouse))["silent"] == 2  # not loaded yet: requested once
    assert warehouse.execute("select count(*) from ops.reread").fetchone() == (2,)

    result = run(source, warehouse)
    assert (result.extracted, result.updated) == (2, 2)
    leads.assert_equal_to_source(crm, warehouse, stack)
    assert judged(compared(source, warehouse)) == NOTHING
    assert run(source, warehouse).extracted == 0
    assert fine in leads.in_core(warehouse)


def test_lost_and_stale_rows_are_loaded_again_through_the_check(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    lost, stale, _ = leads.add(crm, 3)
    run(source, warehouse)
    admin.execute("delete from core.leads where lead_id = %s", [lost])
    admin.execute("delete from core.leads_history where lead_id = %s", [lost])
    crm.execute("update crm.leads set score = 4 where id = %s", [stale])
    change_silently(stack, "update crm.leads set created_at = '2999-01-01' where id = %s", lost)
    pass_the_watermark(admin)

    assert judged(compared(source, warehouse)) == {**NOTHING, "missing": 1, "differing": 1}
    result = run(source, warehouse)
    assert (result.extracted, result.updated, result.quarantined) == (2, 1, 1)
    leads.assert_equal_to_source(crm, warehouse, stack)
    assert judged(compared(source, warehouse)) == NOTHING


def test_what_changed_since_the_last_load_is_no_fault(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    changed, _ = leads.add(crm, 2)
    with psycopg.connect(stack.address("promptcrm")) as late:
        leads.add(late, 1)  # stamped before the load, committed after it
        run(source, warehouse)
        late.commit()
    crm.execute("update crm.leads set score = 1 where id = %s", [changed])
    leads.add(crm, 1)
    comparison = compared(source, warehouse)
    assert (judged(comparison), comparison.pending) == (NOTHING, 3)
    run(source, warehouse)
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_a_request_outlives_a_load_that_began_before_it(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    (lost,) = leads.add(crm, 1)
    run(source, warehouse)
    admin.execute("delete from core.leads where lead_id = %s", [lost])
    pass_the_watermark(admin)
    leads.add(crm, 1)
    running = extract(LEADS, source, warehouse, None, "slow")
    assert compared(source, warehouse).missing == 1
    publish(LEADS, warehouse, running, check(LEADS, warehouse, running))
    assert lost not in leads.in_core(warehouse)
    run(source, warehouse)
    assert lost in leads.in_core(warehouse)


def test_an_emptied_source_deletes_nothing_unless_it_is_accepted(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 10)
    run(source, warehouse)
    crm.execute("truncate crm.leads cascade")
    limits = Limits(share=0.2, rows=5)
    told = "10 of 10 rows are gone at the source, more than 20% and at least 5 rows block a batch; nothing is deleted"
    with pytest.raises(BatchBlocked, match=told):
        reconcile(LEADS, source, warehouse, "test", limits)
    assert warehouse.execute("select count(*) from core.leads where deleted_at is not null").fetchone() == (0,)
    assert warehouse.execute("select gone, deleted from ops.reconciliation").fetchall() == [(10, 0)]
    accepted = reconcile(LEADS, source, warehouse, "test", limits, accept_gone=True)
    assert accepted is not None
    assert accepted.deleted == 10


def test_erased_persons_are_not_missing(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    erased, _ = leads.add(crm, 2)
    admin.execute("insert into ops.suppression (feed, key) values ('leads', %s)", [str(erased)])
    run(source, warehouse)
    pass_the_watermark(admin)
    comparison = compared(source, warehouse)
    assert (judged(comparison), comparison.source_rows, comparison.unequal_buckets) == (NOTHING, 1, 0)


def test_who_names_an_erased_person_does_not_differ(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 2)
    (owner,) = crm.execute("select owner_user_id::text from crm.leads limit 1").fetchone() or (None,)
    admin.execute("insert into ops.suppression (feed, key) values ('users', %s)", [owner])
    run(source, warehouse)
    pass_the_watermark(admin)
    assert judged(compared(source, warehouse)) == NOTHING


def test_a_feed_that_was_never_loaded_is_left_alone(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    assert reconcile(LEADS, source, warehouse, "test", Limits()) is None
    assert warehouse.execute("select count(*) from ops.reconciliation").fetchone() == (0,)


def test_another_key_is_refused_before_every_row_differs(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    run(source, warehouse)
    admin.execute("update ops.feed set pii_check = sha256('another key')")
    with pytest.raises(SourceRefused, match="another key"):
        compared(source, warehouse)


def test_only_unequal_buckets_are_looked_into(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    ids = leads.add(crm, 5000)
    run(source, warehouse)
    pass_the_watermark(admin)
    change_silently(stack, "update crm.leads set score = 1 where id = %s", ids[0])
    differences = compare(LEADS, make_original(LEADS, source), warehouse)
    assert differences is not None
    assert (differences.unequal_buckets, differences.counts["silent"]) == (1, 1)
    # 5000 keys in 4096 buckets: this bucket has only a few others
    assert differences.counts.total() < 20
