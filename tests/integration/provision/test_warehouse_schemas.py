"""The warehouse's tables, comments and privileges."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.provision import provision_database
from promptsales.provision.stream_tables import provision_stream_tables
from promptsales.stream import progress
from tests.integration.provision.conftest import Connect

_UNCOMMENTED = """
select format('%I.%I', n.nspname, c.relname) || coalesce('.' || a.attname, '')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname in ('core', 'marts', 'ops', 'realtime') and c.relkind in ('r', 'v', 'm')
  and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)
"""
_UNOWNED = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('staging', 'core', 'marts', 'ops', 'realtime') and c.relowner <> 'warehouse_owner'::regrole
"""
_PRIVILEGES = """
select string_agg(what, ' ' order by place)
from unnest(array['select', 'insert', 'update', 'delete', 'truncate']) with ordinality as w(what, place)
where has_table_privilege(%s, %s, what)
"""


@pytest.fixture
def admin(warehouse_copy: Connect) -> Iterator[psycopg.Connection]:
    with warehouse_copy("postgres") as connection:
        yield connection


def test_every_table_and_column_is_commented_and_owned(admin: psycopg.Connection) -> None:
    assert admin.execute(_UNCOMMENTED).fetchall() == []
    assert admin.execute(_UNOWNED).fetchall() == []


@pytest.mark.parametrize(
    ("role", "table", "privileges"),
    [
        ("warehouse_loader", "staging.promptcrm__leads", "select insert update delete truncate"),
        ("warehouse_loader", "core.leads", "select insert update delete"),
        ("warehouse_loader", "core.leads_history", "select insert update delete"),
        ("warehouse_loader", "ops.feed", "select insert update delete"),
        ("warehouse_loader", "ops.quarantine", "select insert update delete"),
        ("warehouse_loader", "ops.load", "select insert"),
        ("warehouse_loader", "ops.check_result", "select insert"),
        ("warehouse_loader", "ops.restatement", "select insert"),
        ("warehouse_loader", "migrations.applied", None),
        ("bi", "marts.data_freshness", "select"),
        ("bi", "marts.lead_attribution", "select"),
        ("bi", "realtime.sales_funnel", "select"),
        ("bi", "realtime.live_leads", None),
        ("bi", "core.leads", None),
        ("bi", "ops.load", None),
        ("bi", "staging.promptcrm__leads", None),
    ],
)
def test_privileges(admin: psycopg.Connection, role: str, table: str, privileges: str | None) -> None:
    assert admin.execute(_PRIVILEGES, [role, table]).fetchone() == (privileges,)


@pytest.mark.parametrize("schema", ["staging", "core", "realtime", "marts", "ops", "public"])
@pytest.mark.parametrize("role", ["warehouse_loader", "bi"])
def test_neither_loader_nor_reader_creates_anything(admin: psycopg.Connection, role: str, schema: str) -> None:
    assert admin.execute("select has_schema_privilege(%s, %s, 'create')", [role, schema]).fetchone() == (False,)


def test_readers_see_views_of_realtime_and_no_tables(warehouse_copy: Connect, admin: psycopg.Connection) -> None:
    admin.execute("set role warehouse_owner")
    admin.execute("create table realtime.pace (a int); create view realtime.pace_now as select a from realtime.pace")
    admin.execute("reset role")
    assert [change.what for change in provision_database(admin, "warehouse")] == [
        "realtime.pace_now: granted to bi_reader"
    ]
    with warehouse_copy("bi") as reader:
        assert reader.execute("select * from realtime.pace_now").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select * from realtime.pace")
        assert reader.execute("show statement_timeout").fetchone() == ("1min",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("create table marts.mine ()")


def test_readers_read_new_marts_by_the_roles_file_alone(admin: psycopg.Connection) -> None:
    admin.execute("set role warehouse_owner")
    admin.execute("revoke select on marts.lead_attribution from bi_reader; create table marts.stranger (a int)")
    admin.execute("reset role")
    assert admin.execute(_PRIVILEGES, ["bi", "marts.stranger"]).fetchone() == (None,)
    admin.execute("drop table marts.stranger")
    assert [change.what for change in provision_database(admin, "warehouse")] == [
        "marts.lead_attribution: granted to bi_reader"
    ]
    assert admin.execute(_PRIVILEGES, ["bi", "marts.lead_attribution"]).fetchone() == ("select",)


@pytest.mark.parametrize(
    ("drift", "repaired"),
    [
        ("update ops.staleness set stale_after = '1 day' where name = 'leads'", "ops.staleness: 1 limits written"),
        ("insert into ops.staleness values ('stranger', true, '1 day')", "ops.staleness: 1 limits written"),
        ("alter table staging.promptcrm__leads add x int", "staging.promptcrm__leads recreated"),
        ("drop table staging.promptcrm__leads", "staging.promptcrm__leads created"),
        ("comment on column core.leads.status is 'x'", "core.leads: 1 comments written"),
        ("comment on table core.leads_history is null", "core.leads: 1 comments written"),
    ],
)
def test_drift_is_repaired_once(admin: psycopg.Connection, drift: str, repaired: str) -> None:
    admin.execute(drift.encode())
    assert [change.what for change in provision_database(admin, "warehouse", dry_run=True)] == [repaired]
    assert [change.what for change in provision_database(admin, "warehouse")] == [repaired]
    assert provision_database(admin, "warehouse") == []


def test_core_table_that_does_not_fit_its_contract(admin: psycopg.Connection) -> None:
    rename = sql.SQL("alter table core.leads rename {} to {}")
    admin.execute(rename.format(sql.Identifier("score"), sql.Identifier("points")))
    try:
        with pytest.raises(ConfigError, match=r"score is smallint, in core\.leads it is missing"):
            provision_database(admin, "warehouse")
    finally:
        admin.execute(rename.format(sql.Identifier("points"), sql.Identifier("score")))


def test_freshness_of_what_was_loaded(warehouse_copy: Connect) -> None:
    with warehouse_copy("warehouse_loader") as loader:
        loader.execute(
            "insert into ops.feed (feed, complete_through) values ('leads', clock_timestamp()), ('users', null)"
        )
        loader.execute("""
            insert into ops.load (feed, extraction, mode, read_at, extracted, inserted, updated, unchanged, quarantined,
                                  suppressed, checks_passed, checks_failed, triggered_by, started_at)
            values ('leads', 1, 'delta', '2026-01-01', 3, 2, 0, 0, 1, 0, 5, 1, 'test', now()),
                   ('leads', 2, 'delta', '2026-01-02', 0, 0, 0, 0, 0, 0, 0, 0, 'test', now())
        """)
        loader.execute("""
            insert into ops.check_result (feed, extraction, rule, expectation, on_fail, is_success, unexpected_count)
            values ('leads', 1, 'an_e_mail', 'e', 'quarantine', false, 3), ('leads', 1, 'a_score', 'e', 'warn', true, 0)
        """)
    with warehouse_copy("bi") as reader:
        query = """
            select table_name, last_event_at::date::text, last_batch_status, quarantined_rows, is_stale, failed_rules
            from marts.data_freshness order by 1
        """
        assert reader.execute(query).fetchall() == [
            ("leads", "2026-01-01", "passed", 0, False, "an_e_mail (3 rows)"),
            ("users", None, "never loaded", 0, True, None),
        ]


def test_freshness_of_what_is_streamed(warehouse_copy: Connect) -> None:
    now = datetime.now(UTC)
    with warehouse_copy("warehouse_loader") as loader:
        progress.record_complete_through(loader, "promptads", now - timedelta(minutes=20))
        progress.record_complete_through(loader, "promptcrm", now)
        loader.execute("""
            insert into ops.stream_offset (topic, partition, next_offset, applied_at, source_at)
            values ('promptads.promptads.campaigns', 0, 3, '2026-01-02 00:00:01+00', '2026-01-02'),
                   ('promptads.promptads.campaigns', 1, 9, '2026-01-03 00:00:01+00', '2026-01-03'),
                   ('promptcrm.crm.leads', 0, 1, '2026-01-04 00:00:01+00', '2026-01-04')
        """)
        loader.execute("""
            insert into ops.check_result (feed, rule, expectation, on_fail, is_success, checked_at)
            values ('campaigns', 'a', 'e', 'block', false, '2026-01-01 01:05+00'),
                   ('campaigns', 'a', 'e', 'block', true, '2026-01-01 02:05+00'),
                   ('campaigns', 'b', 'e', 'warn', false, '2026-01-01 02:05+00'),
                   ('live_leads', 'a', 'e', 'quarantine', false, '2026-01-01 02:05+00'),
                   ('live_leads', 'b', 'e', 'warn', false, '2026-01-01 02:05+00'),
                   ('live_opportunities', 'a', 'e', 'block', true, '2026-01-01 02:05+00')
        """)
        loader.execute("""
            insert into ops.quarantine (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
            values ('live_leads', '1', 0, '{a}', 'x', '{}', false)
        """)
    with warehouse_copy("bi") as reader:
        query = """
            select table_name, last_event_at::date::text, last_loaded_at - last_event_at, last_batch_status,
                   quarantined_rows, is_stale, failed_rules
            from marts.data_freshness where table_name = any(%s) order by 1
        """
        names = ["ads", "campaigns", "live_leads", "live_opportunities"]
        assert reader.execute(query, [names]).fetchall() == [
            ("ads", None, None, "not audited", 0, True, None),
            ("campaigns", "2026-01-03", timedelta(seconds=1), "warned", 0, True, "b"),
            ("live_leads", "2026-01-04", timedelta(seconds=1), "failed", 1, False, "a, b"),
            ("live_opportunities", None, None, "passed", 0, False, None),
        ]


def test_a_streamed_table_that_lacks_a_part_of_the_version_is_refused(admin: psycopg.Connection) -> None:
    with admin.transaction(force_rollback=True):
        admin.execute("alter table core.ads drop column src_commit")
        with pytest.raises(ConfigError, match="contract ads: its table in the warehouse lacks src_commit; "):
            provision_stream_tables(admin)


def test_a_table_is_stale_after_what_its_contract_says(warehouse_copy: Connect, admin: psycopg.Connection) -> None:
    limits = admin.execute("""
        select name, is_mart, stale_after from ops.staleness
        where name in ('leads', 'campaigns', 'live_leads', 'lead_attribution') order by name
    """).fetchall()
    assert limits == [
        ("campaigns", False, timedelta(minutes=15)),
        ("lead_attribution", True, timedelta(hours=4)),
        ("leads", False, timedelta(hours=4)),
        ("live_leads", False, timedelta(minutes=15)),
    ]
    with warehouse_copy("warehouse_loader") as loader:
        loader.execute("""
            insert into ops.feed (feed, complete_through)
            values ('accounts', clock_timestamp() - interval '3 hours'),
                   ('contacts', clock_timestamp() - interval '5 hours')
        """)
    stale = (
        "select table_name, is_stale from marts.data_freshness where table_name in ('accounts', 'contacts') order by 1"
    )
    assert admin.execute(stale).fetchall() == [("accounts", False), ("contacts", True)]
    admin.execute("update ops.staleness set stale_after = '2 hours' where name = 'accounts'")
    admin.execute("update ops.staleness set stale_after = '6 hours' where name = 'contacts'")
    assert admin.execute(stale).fetchall() == [("accounts", True), ("contacts", False)]
    assert [change.what for change in provision_database(admin, "warehouse")] == ["ops.staleness: 2 limits written"]
    admin.execute("delete from ops.feed where feed in ('accounts', 'contacts')")


def test_levels_of_budget_alerts_are_those_of_the_function(admin: psycopg.Connection) -> None:
    assert admin.execute("select realtime.budget_levels()").fetchone() == ([80, 100, 120],)
    alert = (
        "insert into realtime.budget_alert (campaign_id, level_pct, spend, budget) values (gen_random_uuid(), %s, 1, 1)"
    )
    for level in (80, 100, 120):
        admin.execute(alert, [level])
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.execute(alert, [90])
