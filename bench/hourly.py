"""Measure whole hourly runs of all feeds through Airflow, with all DAGs at once."""

import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from promptsales.airflow_client.api import AirflowClient
from promptsales.airflow_client.models import DagRun
from promptsales.airflow_client.registration import register
from promptsales.cli.run import HOURLY
from promptsales.errors import TerminalError
from promptsales.settings import Settings

WAIT_S = 900


def hourly(
    here: Settings, changes: Mapping[str, Callable[[], object]], tell: Callable[[str], None]
) -> dict[str, float]:
    """Return the seconds from the trigger to the end of the last DAG, for each change at the sources.

    A first run is not timed, because the scheduler still starts the runs of past hours.
    """
    with AirflowClient(here.address("airflow")) as airflow:
        register(airflow, here)
        for dag_id in HOURLY:
            airflow.pause(dag_id, is_paused=False)
        tell("hourly run, to warm up")
        _run(airflow)
        seconds = {}
        for name, change in changes.items():
            change()
            tell(f"hourly run, {name}")
            began = time.perf_counter()
            _run(airflow)
            seconds[name] = time.perf_counter() - began
    return seconds


def _run(airflow: AirflowClient) -> None:
    run_id = f"manual__{uuid.uuid4()}"
    runs = [airflow.trigger(dag_id, run_id) for dag_id in HOURLY]
    with ThreadPoolExecutor(len(runs)) as pool:
        ended = list(pool.map(lambda run: _end(airflow, run), runs))
    if failed := [run.dag_id for run in ended if run.state != "success"]:
        raise TerminalError(f"{', '.join(failed)} failed: see the logs in the state folder")


def _end(airflow: AirflowClient, run: DagRun) -> DagRun:
    return airflow.wait(run, WAIT_S)[0]
