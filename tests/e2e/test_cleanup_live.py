"""Old logs, runs and results leave a running Airflow, and it goes on."""

import os
import time
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from local.airflow_cleanup import KEEP, STAMP
from local.supervisor import Supervisor
from promptsales.airflow_client.api import POLL_S, AirflowClient
from promptsales.settings import Settings
from tests.e2e.conftest import HOURLY, PATIENCE_S
from tests.support import leads

pytestmark = pytest.mark.timeout(900)

CLEANUP = "airflow-cleanup"
# the columns by which Airflow judges the age of what a run leaves
AGED = {
    "dag_run": "start_date = start_date - %(by)s where run_id = %(run)s",
    "task_instance": "start_date = start_date - %(by)s where run_id = %(run)s",
    "xcom": "timestamp = timestamp - %(by)s where run_id = %(run)s",
    "log": "dttm = dttm - %(by)s where run_id = %(run)s",
}


def run_once(airflow: AirflowClient, stack: Settings) -> str:
    """Run the hourly DAG on a new lead, so that its tasks have results, and return the run's id."""
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        leads.add(crm, email=f"{uuid.uuid4()}@example.com")
    run, _ = airflow.wait(airflow.trigger(HOURLY, f"cleanup-{uuid.uuid4()}"), PATIENCE_S)
    assert run.state == "success"
    return run.run_id


def left(stack: Settings, run_id: str) -> dict[str, int]:
    """Return how many rows and log files name a run."""
    with psycopg.connect(stack.address("airflow_db")) as metadata:
        rows = {
            table: metadata.execute(f"select count(*) from {table} where run_id = %s", [run_id]).fetchall()[0][0]  # noqa: S608
            for table in AGED
        }
    logs = (stack.state / "logs" / "airflow").rglob(f"*{run_id}*/**/*.log")
    return rows | {"logs": len(list(logs))}


def age(stack: Settings, run_id: str) -> None:
    """Make a run two weeks older."""
    by = KEEP + timedelta(hours=1)
    with psycopg.connect(stack.address("airflow_db")) as metadata:
        for table, change in AGED.items():
            metadata.execute(f"update {table} set {change}".encode(), {"by": by, "run": run_id})  # noqa: S608
    then = (datetime.now(UTC) - by).timestamp()
    for log in (stack.state / "logs" / "airflow").rglob(f"*{run_id}*/**/*.log"):
        os.utime(log, (then, then))


def clean(stack: Settings) -> None:
    """Let the program that the stack runs find that its last cleanup is more than a day ago."""
    stamp = stack.state / STAMP
    supervisor = Supervisor(stack.state)
    supervisor.stop({CLEANUP}, PATIENCE_S)
    yesterday = time.time() - 90_000
    os.utime(stamp, (yesterday, yesterday))
    supervisor.start(CLEANUP)
    deadline = time.monotonic() + PATIENCE_S
    while stamp.stat().st_mtime < yesterday + 3600:
        assert time.monotonic() < deadline, supervisor.last_error(CLEANUP)
        time.sleep(POLL_S)


def test_what_is_two_weeks_old_goes_while_airflow_runs(airflow: AirflowClient, stack: Settings) -> None:
    old, young = run_once(airflow, stack), run_once(airflow, stack)
    before = left(stack, young)
    assert min(left(stack, old).values()) > 0
    age(stack, old)
    clean(stack)
    assert left(stack, old) == dict.fromkeys(before, 0)
    assert left(stack, young) == before
    # the DAG is still known, not paused, and runs
    assert run_once(airflow, stack)
