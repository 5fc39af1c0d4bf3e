"""Start a DAG so that its schedule does not run it a second time."""

import time
from datetime import UTC, datetime

from promptsales.airflow_client.api import POLL_S, AirflowClient
from promptsales.airflow_client.models import DagRun

# the scheduler creates a due run within two seconds of unpausing, later on a busy machine
CREATED_S = 60


def start(airflow: AirflowClient, dag_id: str, run_id: str) -> DagRun:
    """Unpause a DAG and return the run that this starts, else trigger one.

    Airflow starts the run of the last full hour when a paused DAG is unpaused. That run loads through now like any
    other, so a triggered run beside it would read every source a second time.

    Args:
        airflow: the client.
        dag_id: the DAG.
        run_id: the id of the run if one is triggered.
    """
    if airflow.get_schedule(dag_id).starts_when_unpaused(datetime.now(UTC)):
        earlier = {run.run_id for run in airflow.get_runs(dag_id, "scheduled")}
        airflow.pause(dag_id, is_paused=False)
        if run := _await_new_run(airflow, dag_id, earlier):
            return run
    run = airflow.trigger(dag_id, run_id)
    airflow.pause(dag_id, is_paused=False)
    return run


def _await_new_run(airflow: AirflowClient, dag_id: str, earlier: set[str]) -> DagRun | None:
    deadline = time.monotonic() + CREATED_S
    while time.monotonic() < deadline:
        if new := [run for run in airflow.get_runs(dag_id, "scheduled") if run.run_id not in earlier]:
            return new[0]
        time.sleep(POLL_S)
    return None
