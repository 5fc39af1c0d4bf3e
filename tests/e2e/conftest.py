"""Airflow, let loose for one file of tests, and well clear of the hour at which it would start a run of its own."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.airflow import COMPONENTS
from local.supervisor import Supervisor
from promptsales.airflow_api import Airflow
from promptsales.registration import register
from promptsales.settings import Settings

HOURLY = "promptcrm_hourly"
EVERY_HOURLY = ("promptcrm_hourly", "promptsales_hourly")
PATIENCE_S = 180
# longer than any file here takes: a run of the schedule's would load what a test has planted for its own
CLEAR_S = 300


@pytest.fixture(scope="package", autouse=True)
def only_here(stack: Settings) -> Iterator[None]:
    """No other test needs Airflow: after these it rests, as it takes a quarter of a core for itself."""
    yield
    Supervisor(stack.state).stop(set(COMPONENTS), PATIENCE_S)


@pytest.fixture(scope="module")
def airflow(stack: Settings) -> Iterator[Airflow]:
    """A client; the hourly DAGs are let loose, have made up for the last hour, and are paused again at the end."""
    with Airflow(stack.address("airflow")) as client:
        register(client, stack)
        _wait_for_the_hour()
        for dag_id in EVERY_HOURLY:
            client.pause(dag_id, is_paused=False)
        for dag_id in EVERY_HOURLY:
            _wait_for_first_run(client, dag_id)
        yield client
        for dag_id in EVERY_HOURLY:
            client.pause(dag_id)


def _wait_for_first_run(client: Airflow, dag_id: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (runs := client.runs(dag_id, "scheduled")) and time.monotonic() < deadline:
        time.sleep(0.3)
    client.wait(runs[0], PATIENCE_S)


def _wait_for_the_hour() -> None:
    """Where the full hour is near, let it pass."""
    now = datetime.now(UTC)
    left = 3600 - now.minute * 60 - now.second
    if left < CLEAR_S:
        time.sleep(left + 15)
