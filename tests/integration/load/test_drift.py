"""The contract is enforced at the source: PostgreSQL refuses changes that break a view, a missing view is reported."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.errors import SourceRefused
from promptsales.load.steps import load
from promptsales.monitoring.doctor import diagnose
from promptsales.provision import provision
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("drop column score", psycopg.errors.DependentObjectsStillExist),
        ("alter column score type integer", psycopg.errors.FeatureNotSupported),
        ("drop column email", psycopg.errors.DependentObjectsStillExist),  # the view has only their hashes
    ],
)
def test_postgresql_refuses_to_change_what_a_view_names(
    crm: psycopg.Connection, change: str, refusal: type[psycopg.Error]
) -> None:
    with pytest.raises(refusal):
        crm.execute(f"alter table crm.leads {change}".encode())


def test_what_no_view_names_may_change(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    crm.execute(
        "alter table crm.leads add column extra integer not null default 1, alter landing_page_url type varchar"
    )
    try:
        assert load(LEADS, source, warehouse, None, "test").inserted == 1
    finally:
        crm.execute("alter table crm.leads drop column extra, alter column landing_page_url type text")


def test_a_view_that_is_gone_is_named_and_remade(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as admin:
        admin.execute("drop view etl.leads")
    try:
        gone = (
            "etl.leads does not exist (a drop with CASCADE removes it); run `promptsales provision` "
            "(docs/how-to/source-changes.md)"
        )
        with pytest.raises(SourceRefused) as refused:
            load(LEADS, source, warehouse, None, "test")
        assert str(refused.value) == f"feed leads: {gone}"
        # other tests create this stack's connectors
        findings = [finding for finding in diagnose(stack) if not finding.where.startswith("connector ")]
        assert [(finding.where, finding.what) for finding in findings] == [
            ("promptcrm", "differs from the files: view etl.leads created"),
            ("feed leads", f"feed leads: {gone}"),
        ]
    finally:
        provision(stack)
    assert load(LEADS, source, warehouse, None, "test").inserted == 1


@pytest.fixture
def swapped(stack: Settings, crm: psycopg.Connection) -> Iterator[None]:
    """Add two leads and replace the table under its name; undo that afterwards."""
    leads.add(crm, 2)
    crm.execute("alter table crm.leads rename to leads_old")
    crm.execute("create table crm.leads (like crm.leads_old including all)")
    crm.execute("insert into crm.leads select * from crm.leads_old")
    yield
    crm.execute("drop table crm.leads cascade")
    crm.execute("alter table crm.leads_old rename to leads")
    provision(stack)


@pytest.mark.usefixtures("swapped")
def test_a_table_that_was_replaced_under_its_name(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    stale = "feed leads: etl.leads reads crm.leads_old, not crm.leads: the table was replaced under its name"
    with pytest.raises(SourceRefused, match=stale):
        load(LEADS, source, warehouse, None, "test")
    with pytest.raises(SourceRefused, match=stale):
        reconcile(LEADS, source, warehouse, "test", Limits())
    wrong = {(finding.where, finding.what.split(";")[0]) for finding in diagnose(stack)}
    gone = "crm.leads is missing, so realtime.live_leads is not updated"
    assert {("feed leads", stale), ("publication promptcrm", gone)} <= wrong
    provision(stack)
    assert load(LEADS, source, warehouse, None, "test").inserted == 3
    leads.assert_equal_to_source(crm, warehouse, stack)
