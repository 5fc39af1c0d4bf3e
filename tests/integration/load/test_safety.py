"""A load refuses to run beside another run, under another key, on a changed view, or with emptied staging."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.errors import Fenced, SourceRefused, TerminalError, TransientError
from promptsales.feeds.models import LoadResult
from promptsales.load.audit import audit_staging
from promptsales.load.steps import check, extract, load, publish
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")


def run(source: psycopg.Connection, warehouse: psycopg.Connection) -> LoadResult:
    return load(LEADS, source, warehouse, None, "test")


def test_the_older_of_two_runs_is_fenced(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 3)
    older = extract(LEADS, source, warehouse, None, "older")
    audit = check(LEADS, warehouse, older)
    newer = extract(LEADS, source, warehouse, None, "newer")
    with pytest.raises(Fenced, match="extraction 1 was overtaken by 2"):
        publish(LEADS, warehouse, older, audit)
    assert leads.in_core(warehouse) == {}
    assert publish(LEADS, warehouse, newer, check(LEADS, warehouse, newer)).inserted == 3
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_a_check_that_was_overtaken_leaves_the_newer_marks(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 3)
    older = extract(LEADS, source, warehouse, None, "older")
    (bad,) = leads.add_bad(crm, 1)
    newer = extract(LEADS, source, warehouse, None, "newer")
    audit = check(LEADS, warehouse, newer)
    # the older run was stopped after its first look at staging, and continues now
    with pytest.raises(Fenced, match="extraction 1 was overtaken by 2"):
        audit_staging(LEADS, warehouse, older, Limits())
    assert publish(LEADS, warehouse, newer, audit).inserted == 3
    assert leads.in_quarantine(warehouse) == {bad}
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_publishing_twice_returns_the_first_result(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 3)
    staged = extract(LEADS, source, warehouse, None, "test")
    audit = check(LEADS, warehouse, staged)
    assert publish(LEADS, warehouse, staged, audit) == publish(LEADS, warehouse, staged, audit)
    assert warehouse.execute("select count(*) from ops.load").fetchone() == (1,)


def test_emptied_staging_is_noticed(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 3)
    staged = extract(LEADS, source, warehouse, None, "test")
    audit = check(LEADS, warehouse, staged)
    warehouse.execute("truncate staging.promptcrm__leads")  # what a crash does to an UNLOGGED table
    with pytest.raises(TerminalError, match="staging holds 0 rows of extraction 1, 3 were put there"):
        publish(LEADS, warehouse, staged, audit)
    assert run(source, warehouse).inserted == 3
    leads.assert_equal_to_source(crm, warehouse, stack)


@pytest.fixture
def crm_admin(stack: Settings) -> psycopg.Connection:
    return psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"))


def test_a_missing_key_is_refused(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, crm_admin: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    pads = crm_admin.execute("select * from etl.pii_pad").fetchall()
    columns = [column.name for column in crm_admin.execute("select * from etl.pii_pad limit 0").description or ()]
    crm_admin.execute("delete from etl.pii_pad")
    crm_admin.commit()
    try:
        with pytest.raises(SourceRefused, match="no active key"):
            run(source, warehouse)
    finally:
        with crm_admin.cursor() as cursor, cursor.copy(f"copy etl.pii_pad ({', '.join(columns)}) from stdin") as copy:
            for pad in pads:
                copy.write_row(pad)
        crm_admin.commit()
        crm_admin.close()
    assert run(source, warehouse).inserted == 1


def test_a_changed_key_is_refused(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    run(source, warehouse)
    admin.execute("update ops.feed set pii_check = sha256('another key')")
    with pytest.raises(SourceRefused, match="another key"):
        run(source, warehouse)


def test_a_drifted_view_is_refused_by_column(source: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    columns = [
        {**column, "type": "integer"} if column["name"] == "score" else column
        for column in LEADS.model_dump()["columns"]
    ]
    drifted = type(LEADS).model_validate({**LEADS.model_dump(), "columns": columns})
    with pytest.raises(SourceRefused, match="score is smallint, the contract says integer"):
        load(drifted, source, warehouse, None, "test")


def test_a_lost_connection_is_transient(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    source.close()
    with pytest.raises(TransientError, match="extract leads"):
        run(source, warehouse)
