"""A warehouse with rows of an earlier release is provisioned."""

import json
import uuid

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
