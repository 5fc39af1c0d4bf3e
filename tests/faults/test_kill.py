"""kill -9 at each step of a load: the next run ends with the warehouse equal to its source."""

import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.load.steps import check, extract, load, publish
from promptsales.settings import Settings, settings
from promptsales.specs.feed import contract
from promptsales.targets import InternalName
from tests.support import leads
from tests.support.building import held_building, is_building, wait_until
from tests.support.stepwise import Say, stepwise

STEPS = ("started", "extracted", "checked", "published")
LEADS = contract("leads")
PATIENCE_S = 60


def delta(say: Say) -> None:
    """Run one delta load of leads step by step."""
    here = settings()
    with (
        psycopg.connect(here.address("promptcrm_etl")) as source,
        psycopg.connect(here.address("warehouse")) as warehouse,
    ):
        say("started")
        staged = extract(LEADS, source, warehouse, None, "stepwise")
        say("extracted")
        audit = check(LEADS, warehouse, staged)
        say("checked")
        publish(LEADS, warehouse, staged, audit)
        say("published")


def plant(crm: psycopg.Connection) -> None:
    leads.add(crm, 50)
    leads.add_bad(crm, 2)


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_steps(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, step: str
) -> None:
    plant(crm)
    with stepwise(delta) as run:
        run.advance(step)
        run.kill()
    result = load(LEADS, source, warehouse, None, "after the kill")
    leads.assert_equal_to_source(crm, warehouse, stack)
    assert len(leads.in_quarantine(warehouse)) == 2
    assert result.inserted == (0 if step == "published" else 50)


def blocked(admin: psycopg.Connection, what: str) -> None:
    """Wait until a statement that begins with a text waits for a lock."""
    query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ~ %s"
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if admin.execute(query, [what]).fetchone() != (0,):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing waited for a lock in {what}")


# locks that stop the load inside the statement; readers wait for an exclusive lock only
READS, WRITES = "access exclusive", "exclusive"
INSIDE: dict[str, tuple[str, InternalName, str, str, str]] = {
    "emptying staging": ("started", "warehouse_admin", "staging.promptcrm__leads", "truncate", READS),
    # the check for hidden rows runs first, and holds the table's lock until the copy has ended
    "reading the source": ("started", "sources_admin", "crm.leads", "select from", READS),
    "checking": ("extracted", "warehouse_admin", "staging.promptcrm__leads", "select count", READS),
    "merging": ("checked", "warehouse_admin", "core.leads", "with merged", WRITES),
    "writing history": ("checked", "warehouse_admin", "core.leads_history", "with merged", WRITES),
    "noting the days of a first load": (
        "checked",
        "warehouse_admin",
        "ops.touched",
        "_new_entities, _new_days",
        WRITES,
    ),
    "closing the books": ("checked", "warehouse_admin", "ops.load", "-- the audit row", WRITES),
}


@pytest.mark.parametrize("inside", INSIDE)
def test_killed_inside_a_statement(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, inside: str
) -> None:
    step, where, table, statement, mode = INSIDE[inside]
    address = make_conninfo(stack.address(where), dbname="promptcrm" if where == "sources_admin" else "warehouse")
    plant(crm)
    with (
        stepwise(delta) as run,
        psycopg.connect(address) as lock,
        psycopg.connect(address, autocommit=True) as watch,
    ):
        run.advance(step)
        lock.execute(f"lock {table} in {mode} mode")
        run.let_go()
        blocked(watch, statement)
        run.kill()
        lock.rollback()
    load(LEADS, source, warehouse, None, "after the kill")
    leads.assert_equal_to_source(crm, warehouse, stack)
    assert len(leads.in_quarantine(warehouse)) == 2


def test_killed_while_a_first_load_builds_indexes(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    plant(crm)
    query = "select indexrelid from pg_index where indrelid in ('core.leads'::regclass, 'core.leads_history'::regclass)"
    with stepwise(delta) as run, held_building(stack):
        indexes = admin.execute(query).fetchall()
        run.advance("checked")
        run.let_go()
        wait_until(lambda: is_building(admin))
        run.kill()
        # the server rolls back once it notices; the lock that the build waits for is still held
        admin.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted")
        assert admin.execute(
            "select (select count(*) from core.leads), (select count(*) from ops.load)"
        ).fetchone() == (
            0,
            0,
        )
        assert admin.execute(query).fetchall() == indexes
    assert load(LEADS, source, warehouse, None, "after the kill").inserted == 50
    leads.assert_equal_to_source(crm, warehouse, stack)
    assert len(leads.in_quarantine(warehouse)) == 2
