"""A date that PostgreSQL accepts but no business has goes to quarantine, and stops no load, reconciliation or audit."""

from datetime import UTC, datetime

import psycopg
import pytest

from promptsales.feeds import manual_release
from promptsales.load.steps import load
from promptsales.quality.tables import audit_core
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract

ACCOUNTS = contract("accounts")
DAYS = ("-infinity", "0044-03-15 BC", "0206-01-01", "9999-12-31 23:59:59+00", "infinity", "294276-01-01")
ADD = """
    insert into crm.accounts (owner_user_id, name, created_at, updated_at)
    select gen_random_uuid(), 'Acme', '2026-01-01', '2026-01-01' from generate_series(1, %s) returning id
"""


@pytest.mark.parametrize("column", ["created_at", "updated_at", "deleted_at"])
def test_impossible_dates_wait_in_quarantine(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, column: str
) -> None:
    with psycopg.connect(stack.address("sources_admin"), dbname="promptcrm", autocommit=True) as writer:
        writer.execute("set session_replication_role = replica")  # no trigger corrects updated_at
        good, *bad = [key for (key,) in writer.execute(ADD, [1 + len(DAYS)])]
        for key, day in zip(bad, DAYS, strict=True):
            writer.execute(f"update crm.accounts set {column} = %s where id = %s", [day, key])  # noqa: S608

    first = load(ACCOUNTS, source, warehouse, None, "test", Limits())
    assert (first.extracted, first.inserted, first.quarantined) == (1 + len(DAYS), 1, len(DAYS))
    assert [key for (key,) in warehouse.execute("select account_id from core.accounts")] == [good]
    held = manual_release.list_open_rows(warehouse, "accounts", 100)
    assert {entry.key for entry in held} == {str(key) for key in bad}
    assert all(f"{column}_outside_business_dates" in entry.rules for entry in held)

    compared = reconcile(ACCOUNTS, source, warehouse, "test", Limits())
    assert compared is not None
    assert (compared.gone, compared.missing, compared.differing, compared.silent) == (0, 0, 0, 0)
    assert [verdict.error for verdict in audit_core(ACCOUNTS, warehouse, datetime.now(UTC)) if verdict.error] == []
    assert load(ACCOUNTS, source, warehouse, None, "test", Limits()).inserted == 0
