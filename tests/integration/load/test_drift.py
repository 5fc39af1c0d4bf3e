"""The contract is enforced at the source: PostgreSQL refuses what would break a view; a view that is gone is named."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.contracts import contract
from promptsales.doctor import diagnose
from promptsales.errors import SourceRefused
from promptsales.load.steps import load
from promptsales.provision import provision
from promptsales.settings import Settings
from tests.support import leads

LEADS = contract("leads")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("drop column score", psycopg.errors.DependentObjectsStillExist),
        ("alter column score type integer", psycopg.errors.FeatureNotSupported),
        ("drop column email", psycopg.errors.DependentObjectsStillExist),  # of which the view has hashes only
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
            "etl.leads is not there (a drop with CASCADE takes it along); run `promptsales provision` (docs/drift.md)"
        )
        with pytest.raises(SourceRefused) as refused:
            load(LEADS, source, warehouse, None, "test")
        assert str(refused.value) == f"feed leads: {gone}"
        # this stack's connectors are made by the tests of the stream
        found = [one for one in diagnose(stack) if not one.where.startswith("connector ")]
        assert [(finding.where, finding.what) for finding in found] == [
            ("promptcrm", "differs from the files: view etl.leads created"),
            ("feed leads", f"feed leads: {gone}"),
        ]
    finally:
        provision(stack)
    assert load(LEADS, source, warehouse, None, "test").inserted == 1
