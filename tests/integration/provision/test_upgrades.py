"""A warehouse with rows of an earlier release is provisioned."""

import json
import uuid
from typing import Any

import psycopg

from promptsales.provision import provision_database
from tests.integration.provision.conftest import Scratch
from tests.support.upgrades import migrate_before

_ID = uuid.UUID(int=7)


def test_hashes_of_domains_are_removed(scratch: Scratch) -> None:
    with scratch("warehouse") as connect, connect("postgres") as admin:
        migrate_before(admin, "_no_hash_of_a_domain.sql")
        admin.execute(
            "insert into core.users (user_id, role, email_hmac, email_domain_hmac, pii_kid, created_at, updated_at, "
            "_extraction, _loaded_at) values (%s, 'viewer', 'a', 'd', 1, now(), now(), 1, now())", [_ID],
        )  # fmt: skip
        payload = {"user_id": str(_ID), "email_hmac": "\\x61", "email_domain_hmac": "\\x64", "pii_kid": 1}
        admin.execute(
            "insert into ops.quarantine (feed, key, extraction, rules, suite_checksum, payload, is_core_stale) "
            "values ('users', %s, 1, '{a}', 'x', %s, false)", [str(_ID), json.dumps(payload)],
        )  # fmt: skip
        for column in ("email_hmac", "email_domain_hmac"):
            admin.execute(
                "insert into ops.pii_bridge values ('users', %s, 'o', 1, 'n', 2, now() + interval '1 day')", [column]
            )
        provision_database(admin, "warehouse")
        columns = admin.execute(
            "select table_schema || '.' || table_name from information_schema.columns "
            "where column_name = 'email_domain_hmac'"
        ).fetchall()
        assert columns == []
        assert admin.execute("select user_id, email_hmac from core.users").fetchall() == [(_ID, b"a")]
        del payload["email_domain_hmac"]
        assert admin.execute("select payload from ops.quarantine").fetchall() == [(payload,)]
        assert admin.execute("select column_name from ops.pii_bridge").fetchall() == [("email_hmac",)]


def _type_addresses(admin: psycopg.Connection) -> dict[str, Any]:
    """Write addresses where people typed them; return the payload in quarantine."""
    for number, tag in ((1, "to a@b.c"), (2, "plain")):
        admin.execute(
            "insert into core.content_assets (asset_id, type, url, tags, status, pii_kid, created_at, updated_at, "
            "_extraction, _loaded_at) values (%s, 'image', 'https://x.io/1.png?for=a@b.c', %s, 'draft', 1, now(), "
            "now(), 1, now())", [f"id{number}", ["b", tag, "a"]],
        )  # fmt: skip
    audience = {"age_min": 18, "interests": ["to a@b.c"], "countries": ["DE"]}
    admin.execute(
        "insert into core.ad_groups (ad_group_id, name, target_audience, is_deleted, src_epoch, src_commit, "
        "src_lsn, src_is_snapshot, _loaded_at) values (%s, 'call +49 30 123456', %s, false, 1, 1, 1, false, now())",
        [_ID, json.dumps(audience)],
    )
    payload = {
        "asset_id": "a@b.c",
        "url": "https://x.io/1.png#a",
        "tags": ["a@b.c", "x"],
        "width": 7,
        "model": None,
    }
    admin.execute(
        "insert into ops.quarantine (feed, key, extraction, rules, suite_checksum, payload, is_core_stale) "
        "values ('content_assets', 'a@b.c', 1, '{a}', 'x', %s, false)", [json.dumps(payload)],
    )  # fmt: skip
    admin.execute(
        "insert into ops.restatement (mart, grain, old_values, new_values) values ('lost_reason_monthly', %s, %s, %s)",
        [json.dumps({"lost_reason": "ask a@b.c"}), json.dumps({"lost": 1}), json.dumps({"lost": 2})],
    )
    admin.execute(
        "insert into ops.mart (mart, touched_through, as_of_day, definition, is_empty) "
        "select mart, now(), now(), 'same', false "
        "from unnest(array['lost_reason_monthly', 'ai_cost_daily']) as mart"
    )
    admin.execute(
        "insert into marts.lost_reason_monthly (month_start_date, lost_reason, currency_code, lost, lost_amount) "
        "select '2026-01-01', reason, 'USD', 1, 1 from unnest(array['ask a@b.c', 'price']) as reason"
    )
    return payload


def test_what_people_typed_is_redacted(scratch: Scratch) -> None:
    with scratch("warehouse") as connect, connect("postgres") as admin:
        migrate_before(admin, "_redact_what_people_typed.sql")
        payload = _type_addresses(admin)
        provision_database(admin, "warehouse")
        assert admin.execute("select url, tags from core.content_assets order by asset_id").fetchall() == [
            ("https://x.io/1.png", ["b", "to ***", "a"]),
            ("https://x.io/1.png", ["b", "plain", "a"]),
        ]
        assert admin.execute("select name, target_audience from core.ad_groups").fetchall() == [
            ("call ***", {"age_min": 18, "interests": "***", "countries": ["DE"]})
        ]
        # the key stays: it names the row
        assert admin.execute("select payload from ops.quarantine").fetchall() == [
            ({**payload, "url": "https://x.io/1.png", "tags": ["***", "x"]},)
        ]
        assert admin.execute("select grain from ops.restatement").fetchall() == [({"lost_reason": "ask ***"},)]
        # the mart is built again, and until then lacks the row
        assert admin.execute("select lost_reason from marts.lost_reason_monthly").fetchall() == [("price",)]
        assert admin.execute("select mart, definition from ops.mart order by 1").fetchall() == [
            ("ai_cost_daily", "same"),
            ("lost_reason_monthly", ""),
        ]


# the tables of ops that hold rows of a streamed table, and the column that names it
_BOOKS = {
    "ops.feed": "feed", "ops.check_result": "feed", "ops.quarantine": "feed", "ops.truncation": "feed",
    "ops.reconciliation": "feed", "ops.reread": "feed", "ops.suppression": "feed", "ops.manual_action": "feed",
    "ops.staleness": "name",
}  # fmt: skip


def _stream_both(admin: psycopg.Connection) -> None:
    """Write a row of each streamed table of the CRM, and one about each in every table of ops that knows them."""
    for streamed in ("realtime.lead (lead_id, campaign_id", "realtime.opportunity (opportunity_id, source_lead_id"):
        admin.execute(
            f"insert into {streamed}, is_deleted, src_epoch, src_lsn, src_commit, src_is_snapshot, _loaded_at) "  # noqa: S608
            "values (%s, %s, false, 1, 4, 5, false, '2026-01-02')".encode(),
            [_ID, _ID],
        )
    # a worker of the new release starts before the provision
    admin.execute("insert into ops.feed (feed, topic) values ('live_leads', 'promptcrm.crm.any')")
    for feed in ("lead", "opportunity", "campaigns"):
        for statement in (
            "insert into ops.feed (feed, topic) values (%s, 'promptcrm.crm.any')",
            "insert into ops.check_result (feed, rule, expectation, on_fail, is_success) "
            "values (%s, 'a', 'e', 'warn', true)",
            "insert into ops.quarantine (feed, key, extraction, rules, suite_checksum, payload, is_core_stale) "
            "values (%s, '1', 0, '{a}', 'x', '{}', false)",
            "insert into ops.truncation (feed, src_epoch, src_lsn, src_commit, committed_at) "
            "values (%s, 1, 1, 1, now())",
            "insert into ops.reconciliation (feed, complete_through, source_rows, warehouse_rows, buckets, "
            "unequal_buckets, gone, deleted, missing, differing, silent, pending, triggered_by, compared_at, is_whole) "
            "values (%s, now(), 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 'me', now(), true)",
            "insert into ops.reread (feed, extraction, key, reason) values (%s, 1, '1', 'missing')",
            "insert into ops.suppression (feed, key) values (%s, '1')",
            "insert into ops.manual_action (action, feed, target, acted_by) values ('release', %s, '1', 'me')",
            "insert into ops.staleness (name, is_mart, stale_after) values (%s, false, interval '1 hour')",
        ):
            admin.execute(statement.encode(), [feed])


def test_streamed_leads_and_opportunities_get_names_of_their_own(scratch: Scratch) -> None:
    with scratch("warehouse") as connect, connect("postgres") as admin:
        migrate_before(admin, "_live_leads.sql", "_live_opportunities.sql", "_live_tables.sql")
        _stream_both(admin)
        funnel = admin.execute("select * from realtime.sales_funnel").fetchall()
        provision_database(admin, "warehouse")
        assert funnel == [(_ID, 1, 0, 0, 1, 0)]
        assert admin.execute("select * from realtime.sales_funnel").fetchall() == funnel
        kept = admin.execute("""
            select 'leads', lead_id, src_commit, src_lsn from realtime.live_leads
            union all select 'opportunities', opportunity_id, src_commit, src_lsn from realtime.live_opportunities
        """).fetchall()
        assert kept == [("leads", _ID, 5, 4), ("opportunities", _ID, 5, 4)]
        for table, column in _BOOKS.items():
            names = admin.execute(
                f"select {column} from {table} where {column} = any(%s) order by 1".encode(),  # noqa: S608
                [["lead", "opportunity", "live_leads", "live_opportunities", "campaigns"]],
            ).fetchall()
            assert (table, names) == (table, [("campaigns",), ("live_leads",), ("live_opportunities",)])
        assert _named(admin, "realtime", "lead", "opportunity") == []


def _named(admin: psycopg.Connection, schema: str, *tables: str) -> list[str]:
    """Return the relations and constraints of a schema that have one of the names, or begin with one."""
    rows = admin.execute(
        "select relname::text from pg_class where relnamespace = %(schema)s::regnamespace and relname ~ %(names)s "
        "union all select conname from pg_constraint "
        "where connamespace = %(schema)s::regnamespace and conname ~ %(names)s",
        {"schema": schema, "names": f"^({'|'.join(tables)})(_|$)"},
    )
    return [name for (name,) in rows]


def test_a_new_and_an_upgraded_warehouse_have_the_same_live_tables(scratch: Scratch) -> None:
    described = []
    for earlier in (True, False):
        with scratch("warehouse") as connect, connect("postgres") as admin:
            if earlier:
                migrate_before(admin, "_live_leads.sql", "_live_opportunities.sql", "_live_tables.sql")
            provision_database(admin, "warehouse")
            described.append(admin.execute(_DESCRIBED).fetchall())
            assert provision_database(admin, "warehouse") == []
    assert described[0] == described[1]
    assert {row[0] for row in described[0]} >= {"live_leads", "live_opportunities", "sales_funnel"}


_DESCRIBED = """
    select c.relname::text, c.relacl::text, c.relowner::regrole::text, a.attname::text, a.attnum,
           format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum), pg_get_viewdef(c.oid),
           (select array_agg(conname::text order by conname) from pg_constraint where conrelid = c.oid)
    from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
    where c.relnamespace = 'realtime'::regnamespace and a.attnum > 0
    order by c.relname, a.attnum
"""
