"""The hourly DAG on a running Airflow: triggered, cleared, backfilled, started by hand with a window."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from promptsales.airflow_client.api import POLL_S, AirflowClient
from promptsales.airflow_client.models import DagRun, TaskState
from promptsales.airflow_client.registration import POOLS, connections, redis_connection, register
from promptsales.feeds.models import LoadResult
from promptsales.load.report import loads_of
from promptsales.settings import Settings
from promptsales.specs.feed import contracts
from tests.e2e.conftest import HOURLY, PATIENCE_S
from tests.support import leads

PROVISION = "platform_provision"
FEEDS = [name for name, feed in contracts().items() if feed.source.system == "promptcrm"]

pytestmark = pytest.mark.timeout(900)  # the first test waits for the stack, and at worst for the next hour


def _run(airflow: AirflowClient, dag_id: str = HOURLY, **conf: Any) -> tuple[DagRun, dict[str, TaskState]]:
    """Trigger a run, wait for it, and return it with its tasks by id."""
    run, tasks = airflow.wait(airflow.trigger(dag_id, f"manual__{uuid.uuid4()}", conf), PATIENCE_S)
    return run, {task.task_id: task for task in tasks}


def _states(tasks: dict[str, TaskState], feed: str = "leads") -> dict[str, str | None]:
    return {name.removeprefix(f"{feed}."): task.state for name, task in tasks.items() if name.startswith(f"{feed}.")}


def _watermark(warehouse: psycopg.Connection) -> Any:
    return warehouse.execute(
        "select last_sync_timestamp, complete_through from ops.feed where feed = 'leads'"
    ).fetchone()


def _last_load(warehouse: psycopg.Connection) -> Any:
    """Return the last load of leads."""
    query = """
        select mode, window_start, window_end, inserted, updated from ops.load
        where feed = 'leads' order by extraction desc limit 1
    """
    return warehouse.execute(query).fetchone()


def _leads_of(warehouse: psycopg.Connection, run: DagRun) -> LoadResult:
    """Return what a run loaded of leads; check that it loaded every other feed of the system too."""
    loads = {load.feed: load for load in loads_of(warehouse, f"airflow:{run.dag_id}/{run.run_id}")}
    assert sorted(loads) == FEEDS
    return loads["leads"]


def _company(warehouse: psycopg.Connection, lead: uuid.UUID) -> Any:
    row = warehouse.execute("select company_name from core.leads where lead_id = %s", [lead]).fetchone()
    return row and row[0]


def _add_changed_at(crm: psycopg.Connection, moment: datetime) -> uuid.UUID:
    """Add a lead that was last changed in the past, which the source's trigger would prevent."""
    with crm.transaction():
        crm.execute("alter table crm.leads disable trigger zz_touch_insert")
        (lead,) = leads.add(crm, created_at=moment, updated_at=moment)
        crm.execute("alter table crm.leads enable trigger zz_touch_insert")
    return lead


def test_scheduled_run_loads_the_delta(airflow: AirflowClient, stack: Settings) -> None:
    """Uses the run that Airflow scheduled for the last hour, so it comes first: other tests empty ops.load."""
    (run, *_) = airflow.get_runs(HOURLY, "scheduled")
    with psycopg.connect(stack.address("warehouse")) as warehouse:
        load = _leads_of(warehouse, run)
        modes = warehouse.execute("select distinct mode from ops.load").fetchall()
    assert run.data_interval_start is not None
    assert (run.state, modes) == ("success", [("delta",)])
    # up to now, not to the end of its interval
    assert load.complete_through is not None
    assert load.complete_through > run.data_interval_start + timedelta(hours=1)


def test_connections_and_pools(airflow: AirflowClient, stack: Settings) -> None:
    registered = airflow.get_connections()
    assert {connection.connection_id for connection in connections(stack)} <= registered.keys()
    assert {pool.name for pool in POOLS} <= airflow.get_pools()
    assert {connection["password"] for connection in registered.values()} <= {"***", None}


def test_edited_connection_stays(airflow: AirflowClient, stack: Settings) -> None:
    (kafka,) = (connection for connection in connections(stack) if connection.connection_id == "kafka")
    airflow.put_connections([kafka.model_copy(update={"description": "edited"})])
    register(airflow, stack)
    assert airflow.get_connections()["kafka"]["description"] == "edited"
    airflow.put_connections([kafka])


def test_connections_that_no_task_may_use_are_deleted(airflow: AirflowClient, stack: Settings) -> None:
    admins = {"sources_admin", "warehouse_admin", "promptcontent_admin", "kafka"}
    before = airflow.get_connections().keys()
    airflow.put_connections([redis_connection("of_a_user", stack.address("redis"), "made by hand")])
    register(airflow, stack.model_copy(update={"provision_in_airflow": False}))
    assert airflow.get_connections().keys() == before - admins | {"of_a_user"}
    register(airflow, stack)
    airflow.delete_connections(["of_a_user", "never_made"])
    assert airflow.get_connections().keys() == before


def test_provision_changes_nothing(airflow: AirflowClient) -> None:
    run, tasks = _run(airflow, PROVISION, dry_run=True)
    assert run.state == "success"
    assert tasks.keys() == {"conf", "promptsales", "promptcrm", "warehouse", "content", "bus"}


def test_a_key_that_nobody_reads_fails_once(airflow: AirflowClient) -> None:
    run, tasks = _run(airflow, PROVISION, dryrun=True)
    assert run.state == "failed"
    assert {name for name, task in tasks.items() if task.state != "upstream_failed"} == {"conf"}
    assert (tasks["conf"].state, tasks["conf"].try_number) == ("failed", 1)
    message = "the run's configuration has 'dryrun', expected dry_run; trigger the DAG again"
    assert message in airflow.get_last_error(run, tasks["conf"])


def test_changed_lead(airflow: AirflowClient, crm: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    (lead,) = leads.add(crm, company_name="before")
    run, tasks = _run(airflow)
    assert (run.state, _company(warehouse, lead)) == ("success", "before")
    assert _states(tasks) == {"extract": "success", "check": "success", "publish": "success"}
    load = _leads_of(warehouse, run)
    assert (load.feed, load.extracted, load.inserted) == ("leads", 1, 1)

    crm.execute("update crm.leads set company_name = 'after'")
    _run(airflow)
    assert _company(warehouse, lead) == "after"

    before = _watermark(warehouse)
    run, tasks = _run(airflow)
    assert run.state == "success"
    assert _states(tasks) == {"extract": "success", "check": "skipped", "publish": "skipped"}
    # try 0 means that no process was started for the task
    assert tasks["leads.check"].try_number == tasks["leads.publish"].try_number == 0
    assert _watermark(warehouse) > before


def test_deal_is_checked_against_the_stage_it_came_with(
    airflow: AirflowClient, crm: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (stage,) = crm.execute(
        "insert into crm.pipeline_stages (name, position, default_probability) values (%s, -1, 0.5) returning id",
        [f"stage {uuid.uuid4()}"],
    ).fetchone() or (None,)
    deal = "insert into crm.opportunities (owner_user_id, name, stage_id) values (gen_random_uuid(), 'deal', %s)"
    try:
        crm.execute(deal, [stage])
        run, _ = _run(airflow)
        # the stage is in core before the deal is checked, or the check would warn about the deal
        rules = warehouse.execute("select rule from ops.check_result where feed = 'opportunities' and not is_success")
        assert (run.state, rules.fetchall()) == ("success", [])
        # when no stage changed, the stages' tasks are skipped, and the deals are loaded all the same
        crm.execute(deal, [stage])
        run, tasks = _run(airflow)
        assert (_states(tasks, "pipeline_stages")["publish"], _states(tasks, "opportunities")["publish"]) == (
            "skipped",
            "success",
        )
    finally:
        crm.execute("truncate crm.pipeline_stages cascade")


def test_users_come_by_a_dag_of_their_own(
    airflow: AirflowClient, stack: Settings, warehouse: psycopg.Connection
) -> None:
    address = f"{uuid.uuid4()}@example.com"
    insert = "insert into promptsales.users (email, password_hash, role) values (%s, 'x', 'viewer') returning id"
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as application:
        (user,) = application.execute(insert, [address]).fetchone() or (None,)
        try:
            run, tasks = _run(airflow, "promptsales_hourly")
        finally:
            application.execute("delete from promptsales.users where id = %s", [user])
    assert (run.state, _states(tasks, "users")["publish"]) == ("success", "success")
    assert warehouse.execute("select role from core.users where user_id = %s", [user]).fetchall() == [("viewer",)]


def test_cleared_run_loads_what_is_new(
    airflow: AirflowClient, crm: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    run, _ = _run(airflow)
    (lead,) = leads.add(crm, company_name="later")
    airflow.clear(HOURLY, run.run_id)
    run, tasks = airflow.wait(run, PATIENCE_S)
    assert (run.state, _states({task.task_id: task for task in tasks})) == (
        "success",
        {"extract": "success", "check": "success", "publish": "success"},
    )
    assert _company(warehouse, lead) == "later"
    assert _last_load(warehouse)[0] == "delta"


def test_backfill_replays_its_interval(
    airflow: AirflowClient, crm: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    _run(airflow)
    before = _watermark(warehouse)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    end = start + timedelta(hours=1)
    first, last, _ = (_add_changed_at(crm, at) for at in (start, end - timedelta(microseconds=1), end))

    backfill = airflow.start_backfill(HOURLY, start, start)
    deadline = time.monotonic() + PATIENCE_S
    while not airflow.is_backfill_done(backfill) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    assert [(run.state, run.data_interval_start) for run in airflow.get_runs(HOURLY, "backfill")] == [
        ("success", start)
    ]
    assert _last_load(warehouse) == ("window", start, end, 2, 0)
    assert leads.in_core(warehouse).keys() == {first, last}
    assert _watermark(warehouse) == before


def test_form_replays_its_window(
    airflow: AirflowClient, crm: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    _run(airflow)
    before = _watermark(warehouse)
    start = datetime.now(UTC) - timedelta(hours=3)
    end = start + timedelta(seconds=1)
    lead = _add_changed_at(crm, start)
    _run(airflow, start=start.isoformat(), end=end.isoformat())
    assert _last_load(warehouse) == ("window", start, end, 1, 0)
    assert leads.in_core(warehouse).keys() == {lead}
    assert _watermark(warehouse) == before


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ({"start": "2026-01-01T00:00:00Z"}, "needs both start and end"),
        ({"start": "2400-01-01T00:00:00Z", "end": "2400-01-02T00:00:00Z"}, "start 2400-01-01T00:00Z is in the future"),
        ({"from": "2026-01-01T00:00:00Z"}, "the run's configuration has 'from', expected start and end"),
    ],
)
def test_bad_form_fails_once(airflow: AirflowClient, conf: dict[str, str], message: str) -> None:
    run, tasks = _run(airflow, **conf)
    assert run.state == "failed"
    assert {name for name, task in tasks.items() if task.state != "upstream_failed"} == {"window"}
    assert (tasks["window"].state, tasks["window"].try_number) == ("failed", 1), "a terminal error must not be retried"
    assert message in airflow.get_last_error(run, tasks["window"])
