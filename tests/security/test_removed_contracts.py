"""The roles of the pipeline lose what a removed contract let them read."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.provision import provision_database
from promptsales.provision.publications import grant_script
from promptsales.provision.views import view_script
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from promptsales.specs.stream import stream_contracts
from tests.integration.provision.conftest import KEY, Connect, provisioned


@pytest.fixture(scope="module")
def connect(stack: Settings) -> Iterator[Connect]:
    """Provision a CRM that has a table without a contract."""
    with provisioned(stack, "promptcrm") as connect:
        connect("promptcrm_owner").execute('create table crm."Old.Leads" (like crm.leads)')
        connect("promptcrm_owner").execute("create table crm.former (like crm.leads)")
        yield connect


def readable(admin: psycopg.Connection) -> set[tuple[str, str]]:
    """Return which role may read something of the tables without a contract."""
    query = """
        select r.rolname::text, c.relname::text from pg_roles r, pg_class c
        where r.rolname in ('etl_owner', 'etl_reader', 'etl_audit', 'cdc') and c.relnamespace = 'crm'::regnamespace
          and c.relname in ('Old.Leads', 'former')
          and has_any_column_privilege(r.oid, c.oid, 'select')
    """
    return set(admin.execute(query).fetchall())


def provision(admin: psycopg.Connection, dry_run: bool = False) -> list[str]:
    changes = provision_database(admin, "promptcrm", {1: KEY}, dry_run)
    return [change.what for change in changes if not change.is_warning]


def test_of_a_feed(connect: Connect) -> None:
    admin, leads = connect("postgres"), contract("leads")
    columns = (
        "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'crm.leads'::regclass"
    )
    types: dict[str, str] = dict(admin.execute(columns).fetchall())
    removed = leads.model_copy(
        update={"table": "former", "source": leads.source.model_copy(update={"relation": "crm.former"})}
    )
    admin.execute(view_script(removed, types))
    assert readable(admin) == {("etl_owner", "former")}
    expected = [
        "view etl.former dropped: no contract names it",
        "crm.former: revoked from etl_owner, as no file names it",
    ]
    assert provision(admin, dry_run=True) == expected
    assert provision(admin) == expected
    assert readable(admin) == set()
    assert provision(admin) == []


def test_of_a_streamed_table(connect: Connect) -> None:
    admin, lead = connect("postgres"), stream_contracts()["live_leads"]
    removed = lead.model_copy(update={"source": lead.source.model_copy(update={"relation": "crm.former"})})
    admin.execute(grant_script(removed))
    admin.execute('grant select on crm."Old.Leads" to cdc')
    assert readable(admin) == {("cdc", "former"), ("etl_audit", "former"), ("cdc", "Old.Leads")}
    assert provision(admin) == [
        "crm.Old.Leads: revoked from cdc, as no file names it",
        "crm.former: revoked from cdc, as no file names it",
        "crm.former: revoked from etl_audit, as no file names it",
    ]
    assert readable(admin) == set()
    assert provision(admin) == []


def test_a_role_that_reads_by_hand_keeps_its_rights(connect: Connect) -> None:
    admin = connect("postgres")
    admin.execute("grant select (id) on crm.former to etl_reader")
    try:
        assert provision(admin) == []
        assert readable(admin) == {("etl_reader", "former")}
    finally:
        admin.execute("revoke select (id) on crm.former from etl_reader")


def test_of_a_reader_of_the_warehouse(stack: Settings) -> None:
    with provisioned(stack, "warehouse") as connect:
        admin = connect("postgres")
        admin.execute("grant usage on schema core to bi; grant select on core.leads, ops.feed to bi_reader")
        admin.execute("create schema theirs create table figures (); grant select on theirs.figures to bi_reader")
        expected = [f"{name}: revoked from bi_reader, as no file names it" for name in ("core.leads", "ops.feed")]
        assert [change.what for change in provision_database(admin, "warehouse")] == expected
        assert provision_database(admin, "warehouse") == []
        reads = "select has_table_privilege('bi', %s, 'select')"
        assert admin.execute(reads, ["marts.ai_cost_daily"]).fetchone() == (True,)
        assert admin.execute(reads, ["theirs.figures"]).fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table leads"):
            connect("bi").execute("select from core.leads")
