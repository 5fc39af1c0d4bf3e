"""Row level security at a source: hidden rows are an error, and never count as deleted or missing."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.errors import SourceRefused
from promptsales.extract.sources import Hashing
from promptsales.hashing.hashes import active_key
from promptsales.load.steps import load, preview
from promptsales.monitoring.doctor import diagnose
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import Contract, contract
from tests.support import leads

LEADS = contract("leads")
STANDS = "select last_sync_timestamp, complete_through from ops.feed where feed = 'leads'"
POLICIES = {
    "none": "",
    "of the application only": "create policy hides on crm.leads to promptcrm_owner using (true)",
    "of some rows": "create policy hides on crm.leads using (score > 5)",
    "of all rows, for the reader": "create policy hides on crm.leads to etl_owner using (true)",
    "of the owner too": "alter table crm.leads force row level security",
}


@pytest.fixture
def crm_admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to the CRM as its administrator; afterwards no row is hidden."""
    address = make_conninfo(stack.address("sources_admin"), dbname="promptcrm")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection
        connection.execute("drop policy if exists hides on crm.leads")
        connection.execute("alter table crm.leads disable row level security, no force row level security")
        connection.execute("alter role etl_owner nobypassrls; alter role cdc nobypassrls")


def hide(crm_admin: psycopg.Connection, policy: str) -> None:
    crm_admin.execute("alter table crm.leads enable row level security")
    crm_admin.execute(POLICIES[policy].encode())


@pytest.mark.parametrize("policy", POLICIES)
def test_the_feed_stands_and_nothing_is_deleted(
    policy: str,
    crm: psycopg.Connection,
    crm_admin: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    stack: Settings,
) -> None:
    leads.add(crm, 3, score=1)
    leads.add(crm, 3, score=9)
    load(LEADS, source, warehouse, None, "test")
    before = warehouse.execute(STANDS).fetchone()
    hide(crm_admin, policy)
    leads.add(crm_admin, 1, score=1)

    refusal = (
        r"feed leads: etl_owner may not read all rows of etl\.leads \(.*\"leads\"\).*alter role etl_owner bypassrls"
    )
    with pytest.raises(SourceRefused, match=refusal):
        load(LEADS, source, warehouse, None, "test")
    with pytest.raises(SourceRefused, match=refusal):
        preview(LEADS, source, warehouse, None)
    with pytest.raises(SourceRefused, match=refusal):
        reconcile(LEADS, source, warehouse, "test", Limits(), accept_gone=True)
    assert warehouse.execute(STANDS).fetchone() == before
    assert [row["deleted_at"] for row in leads.in_core(warehouse).values()] == [None] * 6

    crm_admin.execute("alter role etl_owner bypassrls")
    assert load(LEADS, source, warehouse, None, "test").inserted == 1
    assert reconcile(LEADS, source, warehouse, "test", Limits()) is not None
    leads.assert_equal_to_source(crm_admin, warehouse, stack)


def test_doctor_names_the_table_for_the_feed_and_for_the_stream(
    crm: psycopg.Connection, crm_admin: psycopg.Connection, warehouse: psycopg.Connection, stack: Settings
) -> None:
    hide(crm_admin, "of the application only")
    named = [(finding.where, finding.what) for finding in diagnose(stack) if "may not read all rows" in finding.what]
    reason = 'query would be affected by row-level security policy for table "leads"'
    assert [(where, what.split(";")[0]) for where, what in named] == [
        ("feed leads", f"feed leads: etl_owner may not read all rows of etl.leads ({reason})"),
        ("table live_leads", f"table live_leads: cdc may not read all rows of crm.leads ({reason})"),
        ("table live_leads", f"table live_leads: etl_audit may not read all rows of crm.leads ({reason})"),
    ]


def test_a_relation_that_is_hashed_here(
    crm: psycopg.Connection, crm_admin: psycopg.Connection, warehouse: psycopg.Connection, stack: Settings
) -> None:
    feed = Contract.model_validate({**LEADS.model_dump(), "hash_at": "extract"})
    leads.add(crm, 2, score=1)
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as owner:
        source = Hashing(owner, active_key(stack.state / "secrets"))
        load(feed, source, warehouse, None, "test")
        before = warehouse.execute(STANDS).fetchone()
        hide(crm_admin, "of the owner too")
        crm_admin.execute("create policy hides on crm.leads using (score > 5)")
        with pytest.raises(SourceRefused, match=r"promptcrm_owner may not read all rows of crm\.leads"):
            load(feed, source, warehouse, None, "test")
        with pytest.raises(SourceRefused, match=r"promptcrm_owner may not read all rows of crm\.leads"):
            reconcile(feed, source, warehouse, "test", Limits(), accept_gone=True)
    assert warehouse.execute(STANDS).fetchone() == before
    assert [row["deleted_at"] for row in leads.in_core(warehouse).values()] == [None] * 2
