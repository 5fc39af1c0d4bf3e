"""The hourly audit finds rows that differ from the source, repairs them, and judges them by the rules."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowSkipException
from psycopg import sql

from promptsales.orchestration import stream as tasks
from promptsales.quality.tables import audit_streamed
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.stream.audit import AuditResult, audit
from promptsales.stream.audit_books import compute_since, has_changed, record
from promptsales.stream.recount import rebuild
from tests.support.campaigning import ADVERTISING, start_campaigns
from tests.support.figures import assert_equal_to_a_recount
from tests.support.streaming import assert_equal_to_the_source, followed, settle, wait
from tests.support.systems import emptied_warehouse
from tests.support.working import Working

_BREAK = """
    update promptads.campaign_metrics set clicks = -1 where id = (select max(id) from promptads.campaign_metrics)
"""
_SPOIL = """
    update core.campaign_metrics set impressions = -5
    where metric_id = (select min(metric_id) from core.campaign_metrics where not is_deleted)
"""
# the source's trigger would set updated_at
_AGE = """
    set session_replication_role = replica;
    update promptads.campaign_metrics set updated_at = now() - interval '6 hours'
    where id = (select max(id) from promptads.campaign_metrics) returning id
"""
METRICS, GROUPS, CAMPAIGNS = (stream_contracts()[name] for name in ("campaign_metrics", "ad_groups", "campaigns"))
BACK = timedelta(hours=3)


@pytest.fixture(scope="module")
def admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to the warehouse as its administrator; it is empty before the first test."""
    with emptied_warehouse(stack) as connection:
        yield connection


@pytest.fixture(scope="module")
def warehouse(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Connect to the warehouse as the loader."""
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module", autouse=True)
def following(stack: Settings, warehouse: psycopg.Connection) -> Iterator[None]:
    """Follow PromptAds with some measurements, one of which breaks a rule."""
    with followed(stack):
        start_campaigns(stack)
        with Working(stack, ADVERTISING) as work:
            wait(lambda: work.commits > 60)
        with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
            ads.execute(_BREAK)
        settle(stack)
        yield


def run(stack: Settings, warehouse: psycopg.Connection, contract: StreamContract = METRICS) -> AuditResult:
    with psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source:
        return audit(stack, contract, source, warehouse, BACK)


def alive(warehouse: psycopg.Connection, contract: StreamContract) -> list[Any]:
    query = sql.SQL("select {key} from {table} where not is_deleted order by {key}").format(
        key=sql.Identifier(contract.key), table=sql.Identifier(contract.layer, contract.table)
    )
    return [key for (key,) in warehouse.execute(query)]


def test_what_differs_is_repaired(stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection) -> None:
    assert run(stack, warehouse).repaired == 0
    keys = alive(warehouse, METRICS)
    admin.execute("update core.campaign_metrics set spend = spend + 1 where metric_id = %s", [keys[0]])
    admin.execute("delete from core.campaign_metrics where metric_id = %s", [keys[1]])
    admin.execute(
        "insert into core.campaign_metrics select -1, campaign_id, metric_at, impressions, clicks, spend, conversions,"
        " updated_at, false, src_epoch, src_lsn, false, _loaded_at from core.campaign_metrics"
        " where not is_deleted limit 1"  # a row known only from its delete has no values
    )
    found = run(stack, warehouse)
    assert (found.differing, found.missing, found.gone) == (1, 1, 1)
    assert run(stack, warehouse).repaired == 0
    rebuild(warehouse, 14)
    assert_equal_to_a_recount(warehouse)
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("delete from promptads.campaign_metrics where clicks < 0")
    settle(stack)
    assert_equal_to_the_source(stack, warehouse)
    assert rebuild(warehouse, 14).corrected == 0
    now = datetime.now(UTC)
    assert {one.result for one in audit_streamed(METRICS, warehouse, now, now - BACK)} == {"passed"}


def test_of_an_object_the_kept_keys_are_compared(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("""
            insert into promptads.ad_groups (campaign_id, name, target_audience)
            select id, 'aimed', '{"age_min": 18, "remarks": "call Jane"}' from promptads.campaigns limit 2
        """)
    settle(stack)
    assert run(stack, warehouse, GROUPS).repaired == 0
    admin.execute("""
        update core.ad_groups set target_audience = '{"age_min": 21}'
        where ad_group_id = (select min(ad_group_id::text)::uuid from core.ad_groups where name = 'aimed')
    """)
    assert run(stack, warehouse, GROUPS).differing == 1
    kept = warehouse.execute("select target_audience from core.ad_groups where name = 'aimed'").fetchall()
    assert kept == [({"age_min": 18},)] * 2


def test_a_row_that_core_calls_deleted_comes_back(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    key = alive(warehouse, METRICS)[0]
    admin.execute("update core.campaign_metrics set is_deleted = true where metric_id = %s", [key])
    assert run(stack, warehouse).missing == 1
    assert key in alive(warehouse, METRICS)
    assert run(stack, warehouse).repaired == 0
    rebuild(warehouse, 14)


def test_a_row_in_quarantine_that_differs_is_repaired(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute(_BREAK)
    settle(stack)
    admin.execute("update ops.quarantine set payload = payload || '{\"impressions\": 7}' where released_at is null")
    assert run(stack, warehouse).differing == 1
    assert run(stack, warehouse).repaired == 0
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("update promptads.campaign_metrics set clicks = 1 where clicks < 0")
    settle(stack)
    assert_equal_to_the_source(stack, warehouse)


def test_a_row_with_an_impossible_date_stays_in_quarantine_and_the_others_are_repaired(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    endless, lost, *_ = alive(warehouse, CAMPAIGNS)
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("update promptads.campaigns set end_date = 'infinity' where id = %s", [endless])
        settle(stack)
        admin.execute("delete from core.campaigns where campaign_id = %s", [lost])
        found = run(stack, warehouse, CAMPAIGNS)
        assert (found.missing, found.set_aside, found.left) == (1, (), ())
        held = "select rules, payload->>'ends_at' from ops.quarantine where key = %s and released_at is null"
        assert warehouse.execute(held, [str(endless)]).fetchall() == [(["ends_at_outside_business_dates"], "infinity")]
        again = run(stack, warehouse, CAMPAIGNS)
        assert (again.repaired, again.set_aside, again.left) == (0, (), ())
        ads.execute("update promptads.campaigns set end_date = now() + interval '9 days' where id = %s", [endless])
    settle(stack)
    assert warehouse.execute(held, [str(endless)]).fetchall() == []
    assert_equal_to_the_source(stack, warehouse)


def test_hours_that_no_audit_saw_are_made_up_for(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("sources_admin"), dbname="promptsales", autocommit=True) as source:
        source.execute(_AGE)
    settle(stack)
    admin.execute("truncate ops.reconciliation")
    admin.execute("update core.campaign_metrics set spend = spend + 1 where updated_at < now() - interval '5 hours'")
    now = datetime.now(UTC)
    found = run(stack, warehouse)
    assert found.repaired == 0
    record(warehouse, METRICS, found._replace(complete_through=now - 2 * BACK), "test", now - 2 * BACK)
    assert run(stack, warehouse).differing == 1
    assert compute_since(warehouse, METRICS, now, BACK) == now - 3 * BACK
    admin.execute("truncate ops.reconciliation")
    rebuild(warehouse, 14)


def test_the_task_compares_though_nothing_has_come(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection, task: Callable[[], None]
) -> None:
    task()
    with pytest.raises(AirflowSkipException):  # a skipped task sends no asset event
        task()
    key = alive(warehouse, METRICS)[0]
    admin.execute("delete from core.campaign_metrics where metric_id = %s", [key])
    task()
    assert key in alive(warehouse, METRICS)
    assert_equal_to_a_recount(warehouse)
    admin.execute("truncate ops.reconciliation")


@pytest.fixture
def task(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Run one table's task as Airflow does; it skips by raising an exception."""

    def postgres(conn_id: Any) -> psycopg.Connection:
        return psycopg.connect(stack.address(conn_id), autocommit=True)

    run = SimpleNamespace(dag_id="stream_audit", run_id="test")
    events = defaultdict[Any, SimpleNamespace](SimpleNamespace)
    monkeypatch.setattr(tasks, "postgres", postgres)
    monkeypatch.setattr(tasks, "get_current_context", lambda: {"dag_run": run, "outlet_events": events})
    monkeypatch.setattr(tasks, "forget_responses", lambda *tables: None)
    return lambda: tasks.audit.function(METRICS.table)


def test_an_audit_is_due_once_something_has_come(stack: Settings, warehouse: psycopg.Connection) -> None:
    assert has_changed(warehouse, METRICS)
    record(warehouse, METRICS, run(stack, warehouse), "test", datetime.now(UTC))
    assert not has_changed(warehouse, METRICS)
    with Working(stack, ADVERTISING) as work:
        wait(lambda: work.commits > 3)
    settle(stack)
    assert has_changed(warehouse, METRICS)


def test_the_audit_judges_what_the_decoder_did_not(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    admin.execute(_SPOIL)
    found = audit_streamed(METRICS, warehouse, datetime.now(UTC), datetime.now(UTC) - BACK)
    assert {one.expectation.meta.rule for one in found if one.result == "failed"} == {"impressions_negative"}
    assert run(stack, warehouse).repaired == 1


def test_a_clock_that_was_set_back(stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection) -> None:
    ahead = (
        "update ops.feed set complete_through = clock_timestamp() + interval '1 hour' where feed = 'campaign_metrics'"
    )
    lowered = "select complete_through <= clock_timestamp() from ops.feed where feed = 'campaign_metrics'"
    admin.execute(ahead.encode())
    wait(lambda: warehouse.execute(lowered).fetchone() == (True,), 30)
    settle(stack)
    assert warehouse.execute(lowered).fetchone() == (True,)
