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
