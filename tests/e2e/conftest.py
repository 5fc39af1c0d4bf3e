"""Unpause Airflow's hourly DAGs for one test file, far enough from the hour at which the schedule starts a run."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.airflow import COMPONENTS
from local.supervisor import Supervisor
from promptsales.airflow_client.api import POLL_S, AirflowClient
from promptsales.airflow_client.registration import register
from promptsales.settings import Settings

HOURLY = "promptcrm_hourly"
EVERY_HOURLY = ("promptcrm_hourly", "promptsales_hourly")
PATIENCE_S = 180
# longer than any file here takes: a scheduled run would load the rows that a test has planted for its own run
CLEAR_S = 300


@pytest.fixture(scope="package", autouse=True)
def only_here(stack: Settings) -> Iterator[None]:
    """Stop Airflow after these tests: no other test needs it, and it takes a quarter of a core."""
    yield
    Supervisor(stack.state).stop(set(COMPONENTS), PATIENCE_S)


@pytest.fixture(scope="module")
def airflow(stack: Settings) -> Iterator[AirflowClient]:
    """Yield a client; the hourly DAGs are unpaused and up to date, and are paused again at the end."""
    with AirflowClient(stack.address("airflow")) as client:
        register(client, stack)
        for dag_id in EVERY_HOURLY:
            client.pause(dag_id, is_paused=False)
        _catch_up(client)
        if (left := 3600 - time.time() % 3600) < CLEAR_S:
            time.sleep(left + 1)
            _catch_up(client)
        yield client
        for dag_id in EVERY_HOURLY:
            client.pause(dag_id)


def _catch_up(client: AirflowClient) -> None:
    """Wait until the schedule has no run left to start, and every run that it started has ended.

    One run is not enough: a DAG that was parsed before the hour and unpaused after it runs for both hours.
    """
    deadline = time.monotonic() + PATIENCE_S
    for dag_id in EVERY_HOURLY:
        while not _is_up_to_date(client, dag_id):
            assert time.monotonic() < deadline, f"{dag_id} has not made up for the last hour"
            time.sleep(POLL_S)


def _is_up_to_date(client: AirflowClient, dag_id: str) -> bool:
    # in this order: the next run is either not due yet, or among the runs
    due = client.get_schedule(dag_id).due
    return (
        due is not None and due > datetime.now(UTC) and all(run.is_done for run in client.get_runs(dag_id, "scheduled"))
    )
