"""A first load builds the indexes of its empty tables after the rows: what others see, and what the loader may do."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import leads
from tests.support.building import held_building, is_building, wait_until

LEADS = contract("leads")
ROWS = b"select (select count(*) from core.leads), (select count(*) from core.leads_history)"


def test_readers_see_nothing_before_the_commit(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 30)
    with (
        ThreadPoolExecutor(2) as pool,
        held_building(stack) as held,
        psycopg.connect(stack.address("warehouse"), autocommit=True) as loader,
        psycopg.connect(stack.address("warehouse"), autocommit=True) as reader,
        psycopg.connect(stack.address("bi"), autocommit=True) as dashboard,
    ):
        loading = pool.submit(load, LEADS, source, loader, None, "first")
        wait_until(lambda: is_building(admin))
        # dashboards read marts and are not stopped; of the pipeline, only who reads this empty table waits
        dashboard.execute("set lock_timeout = '100ms'")
        assert dashboard.execute("select count(*) from marts.lead_attribution").fetchone() is not None
        assert admin.execute("select count(*) from ops.load").fetchone() == (0,)
        reading = pool.submit(lambda: reader.execute(ROWS).fetchone())
        wait_until(lambda: is_waiting(admin, reader))
        held.commit()
        assert loading.result(60).inserted == 30
        assert reading.result(60) == (30, 30)


def is_waiting(admin: psycopg.Connection, session: psycopg.Connection) -> bool:
    return admin.execute("select cardinality(pg_blocking_pids(%s)) > 0", [session.info.backend_pid]).fetchone() == (
        True,
    )


def test_a_reader_does_not_stop_a_first_load(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 30)
    with psycopg.connect(stack.address("warehouse_admin")) as reader:
        assert reader.execute(ROWS).fetchone() == (0, 0)
        assert load(LEADS, source, warehouse, None, "first").inserted == 30
        assert reader.execute(ROWS).fetchone() == (30, 30)


def test_a_table_with_rows_keeps_its_indexes(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 3)
    load(LEADS, source, warehouse, None, "first")
    admin.execute("delete from core.leads")  # its history still has rows
    assert warehouse.execute("select ops.insert_first_rows('leads', %s, 9)", [LEADS.staging]).fetchone() == (None,)
    assert warehouse.execute(ROWS).fetchone() == (0, 3)


def test_the_loader_still_owns_nothing(warehouse: psycopg.Connection) -> None:
    for statement in (
        "drop index core.leads_email",
        "alter table core.leads drop constraint leads_pkey",
        "create index on core.leads (score)",
        "create table core.other ()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            warehouse.execute(statement.encode())
    with pytest.raises(psycopg.errors.RaiseException, match=r"or staging\.pg_class does not exist"):
        warehouse.execute("select ops.insert_first_rows('pg_authid', 'pg_class', 1)")


def test_only_the_loader_may_call_it(stack: Settings) -> None:
    with psycopg.connect(stack.address("bi")) as bi, pytest.raises(psycopg.errors.InsufficientPrivilege):
        bi.execute("select ops.insert_first_rows('leads', 'promptcrm__leads', 1)")
