"""A load that reads a row of an erased person, under an id that core still has, removes that id everywhere."""

import uuid

import psycopg
import pytest

from promptsales.erasure import removal
from promptsales.erasure.suppression import BUILD_LOCK
from promptsales.errors import TransientError
from promptsales.load.steps import load
from promptsales.specs.feed import contract
from tests.integration.privacy.test_erasure import LEADS, NOBODY, erase, suppressed, whole
from tests.support import leads


def test_a_row_that_becomes_theirs_leaves_core(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
) -> None:
    erase(admin, family["ann"])
    crm.execute("update crm.leads set email = 'ann@example.com' where id = %(bob)s", family)
    admin.execute("update ops.feed set last_sync_timestamp = null")
    assert load(LEADS, source, warehouse, None, "test").suppressed == 5
    assert leads.in_core(warehouse) == {}
    assert warehouse.execute("select count(*) from core.leads_history").fetchone() == (0,)
    assert str(family["bob"]) in suppressed(admin)


def test_a_row_that_becomes_theirs_is_erased_like_one_that_was_asked_for(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
) -> None:
    """The load that reads the row erases it everywhere, also when the stream or another feed had the id first."""
    erase(admin, family["ann"])
    (stage,) = crm.execute(
        "insert into crm.pipeline_stages (pipeline_code, name, position, default_probability) "
        "values (gen_random_uuid(), 'open', 1, 0.2) returning id"
    ).fetchall()
    crm.execute(
        "insert into crm.opportunities (owner_user_id, name, stage_id, amount, source_lead_id, created_at) "
        "values (gen_random_uuid(), 'd', %s, 10, %s, '2026-02-03')",
        [stage[0], family["bob"]],
    )
    load(contract("opportunities"), source, warehouse, None, "test")
    for statement in (
        "insert into realtime.live_leads (lead_id, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at) "
        "values (%(id)s, false, 1, 1, false, now())",
        "insert into ops.restatement (mart, grain, old_values, new_values) "
        "values ('lead_attribution', jsonb_build_object('lead_id', %(id)s::text), '{}', '{}')",
        "insert into ops.reread (feed, extraction, key, reason) values ('leads', 1, %(id)s, 'silent')",
        "delete from ops.touched",
        "insert into ops.touched (core_table, entity_id, day) values ('prompts', %(id)s, '2026-01-02')",
    ):
        admin.execute(statement.encode(), {"id": family["bob"]})
    crm.execute("update crm.leads set email = 'ann@example.com' where id = %(bob)s", family)
    result = load(LEADS, source, warehouse, None, "test")
    assert (result.suppressed, result.unchanged) == (result.extracted, 0)
    assert str(family["bob"]) not in whole(admin)
    assert admin.execute("select source_lead_id from core.opportunities").fetchall() == [(NOBODY,)]
    touched = admin.execute("select core_table, entity_id, day::text from ops.touched where core_table <> 'leads'")
    deal = admin.execute("select opportunity_id::text from core.opportunities").fetchall()[0][0]
    assert sorted(touched) == [("opportunities", deal, "2026-02-03"), ("prompts", str(NOBODY), "2026-01-02")]
    assert ("leads", "*") in admin.execute("select core_table, entity_id from ops.touched").fetchall()
    assert str(family["bob"]) in suppressed(admin)


def test_a_row_that_was_put_on_the_list_by_hand_is_removed_by_the_load_that_meets_it(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
) -> None:
    admin.execute("delete from ops.touched")
    admin.execute("insert into ops.suppression (feed, key) values ('leads', %s)", [str(family["ann"])])
    crm.execute("update crm.leads set score = 3 where id = %(ann)s", family)
    load(LEADS, source, warehouse, None, "test")
    assert str(family["ann"]) not in whole(admin)
    assert leads.in_core(warehouse)[family["bob"]]["merged_into_id"] == NOBODY
    assert ("leads", "*") in admin.execute("select core_table, entity_id from ops.touched").fetchall()


def test_a_load_waits_for_a_build_before_it_removes_anybody(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    erase(admin, family["ann"])
    crm.execute("update crm.leads set email = 'ann@example.com' where id = %(bob)s", family)
    monkeypatch.setattr(removal, "_LOCK_TIMEOUT", "set local lock_timeout = '500ms'")
    with admin.transaction():
        admin.execute("select pg_advisory_xact_lock(%s)", [BUILD_LOCK])
        with pytest.raises(TransientError, match="a build of marts or a load has been running"):
            load(LEADS, source, warehouse, None, "test")
        assert leads.in_core(warehouse).keys() == {family["bob"]}
    # the failure lost nothing: the next load reads the row again
    load(LEADS, source, warehouse, None, "test")
    assert leads.in_core(warehouse) == {}
