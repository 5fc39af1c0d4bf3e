"""`promptsales run`: set up everything, load the warehouse through Airflow, and show the results."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Condition
from typing import Annotated

import typer

from local import stack
from promptsales.airflow_client import schedule
from promptsales.airflow_client.api import AirflowClient
from promptsales.airflow_client.models import DagRun, TaskState
from promptsales.airflow_client.registration import register
from promptsales.cli.build import show_built
from promptsales.cli.live import show_live, traffic
from promptsales.cli.load import show_results
from promptsales.cli.output import connected, console, show_line
from promptsales.cli.phases import Phases, Say
from promptsales.cli.report import write as write_report
from promptsales.errors import TerminalError
from promptsales.load.report import loads_of
from promptsales.marts.report import built_by
from promptsales.provision import provision
from promptsales.seed import seed
from promptsales.seed.world import Size
from promptsales.settings import ROOT, Settings, settings
from promptsales.stream import connectors
from promptsales.targets import connection_names

app = typer.Typer()

PROVISION = "platform_provision"
MARTS = "warehouse_marts"
# unpaused at the end of a run, which does not wait for them
STREAM = ("stream_audit", "stream_health")
# the id of a DAG is the name of its file
HOURLY = tuple(sorted(path.stem for path in (ROOT / "dags").glob("*_hourly.py")))
# the services that provision, seed and the connectors need; Airflow may still be starting
STORES = frozenset({"sources", "warehouse", "mongo", "redis", "kafka", "connect"})
STREAM_SERVICES = frozenset({"stream"})
WAIT_S = 1800


@app.command()
def run(
    size: Annotated[Size, typer.Option(help="amount of sample data for empty systems")] = Size.SMALL,
    live: Annotated[
        bool, typer.Option("--live", help="write a few seconds of live traffic, as the first run does")
    ] = False,
) -> None:
    """Start the stack, provision it, seed it, run the pipeline through Airflow, and show the results."""
    here, now = settings(), datetime.now(UTC)
    run_id = f"manual__{now:%Y-%m-%dT%H:%M:%S.%fZ}"
    with Phases(console) as phases:
        since = _prepare(here, size, now, live, phases)
        with AirflowClient(here.address("airflow")) as airflow:
            with phases.phase("register with Airflow"):
                register(airflow, here)
            runs = _run_dags(airflow, here, run_id, phases)
            _run_marts(airflow, here, run_id, now, phases)
    with connected("warehouse", "look") as warehouse:
        loads = [load for run in runs for load in loads_of(warehouse, f"airflow:{run.dag_id}/{run.run_id}")]
        show_results("Loaded", loads)
        if built := built_by(warehouse, f"airflow:{MARTS}/{run_id}"):
            show_built("Built", built)
    if since:
        show_live(since)
    _show_where(airflow, write_report())


class ServicesHealth:
    """Which services are healthy, for work that starts while the rest of the stack is still starting."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._healthy: set[str] = set()
        self._is_over = False

    def update(self, name: str, state: str, say: Say) -> None:
        """Show a service's new state and remember it."""
        say(f"{name} {state}")
        with self._changed:
            if state == "healthy":
                self._healthy.add(name)
            self._is_over |= state == "failed"
            self._changed.notify_all()

    def wait(self, names: frozenset[str]) -> bool:
        """Wait until these services are healthy; return False when the start ended or failed before that."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or names <= self._healthy)
            return names <= self._healthy

    def give_up(self) -> None:
        """Let nobody wait any longer: no further service becomes healthy."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


def _prepare(here: Settings, size: Size, now: datetime, is_live: bool, phases: Phases) -> datetime | None:
    """Start the stack, and fill its stores as soon as they are healthy; return when live traffic began, if any."""
    health = ServicesHealth()
    with ThreadPoolExecutor(1) as worker:
        filled = worker.submit(_fill, here, size, now, is_live, phases, health)
        try:
            with phases.phase("start the stack") as say:
                stack.up(here, lambda name, state, _: health.update(name, state, say))
        finally:
            health.give_up()
        return filled.result()


def _fill(
    here: Settings, size: Size, now: datetime, is_live: bool, phases: Phases, health: ServicesHealth
) -> datetime | None:
    if not health.wait(STORES):
        return None
    with phases.phase("provision") as say:
        changes = provision(here, say)
        say(f"{len(changes)} changes")
    with phases.phase("sample data") as say:
        report = seed(here, size, now.replace(hour=0, minute=0, second=0, microsecond=0), say)
        say("already there" if report.is_unchanged else f"{sum(report.rows.values())} rows")
    with phases.phase("apply connectors") as say:
        say(", ".join(f"{change.connector}: {change.action}" for change in connectors.apply(here)) or "unchanged")
    if (report.is_unchanged and not is_live) or not health.wait(STREAM_SERVICES):
        return None
    # before the loads, so that they load its rows too and a repeated run has nothing to load
    return traffic(here, size, phases)


def _run_dags(airflow: AirflowClient, here: Settings, run_id: str, phases: Phases) -> list[DagRun]:
    """Start every hourly DAG, and platform_provision where it may run; wait for them, and return the loads.

    The hourly DAGs are unpaused only now, when everything they need exists.
    """
    dag_ids = [*HOURLY, *([PROVISION] if here.provision_in_airflow else [])]

    def follow(dag_id: str) -> DagRun:
        run = schedule.start(airflow, dag_id, run_id)
        _wait(airflow, here, run, phases)
        return run

    with ThreadPoolExecutor(len(dag_ids)) as pool:
        return [run for run in pool.map(follow, dag_ids) if run.dag_id != PROVISION]


def _run_marts(airflow: AirflowClient, here: Settings, run_id: str, now: datetime, phases: Phases) -> None:
    """Build the marts, then unpause the stream's DAGs.

    warehouse_marts is unpaused only now, because the asset event of each loaded table would have started it before.
    """
    run = airflow.trigger(MARTS, run_id, run_after=now - timedelta(hours=1))
    airflow.pause(MARTS, is_paused=False)
    _wait(airflow, here, run, phases)
    for dag_id in STREAM:
        airflow.pause(dag_id, is_paused=False)


def _wait(airflow: AirflowClient, here: Settings, run: DagRun, phases: Phases) -> None:
    with phases.phase(run.dag_id) as say:
        run, tasks = airflow.wait(run, WAIT_S, lambda run, tasks: say(_progress(run, tasks)))
    if run.state == "failed":
        raise _failure(airflow, here, run, tasks)


def _progress(run: DagRun, tasks: list[TaskState]) -> str:
    ended = [task for task in tasks if task.is_done]
    skipped = sum(task.state == "skipped" for task in ended)
    return f"{run.state}, {len(ended)} of {len(tasks)} tasks ended{f', {skipped} of them skipped' if skipped else ''}"


def _failure(airflow: AirflowClient, here: Settings, run: DagRun, tasks: list[TaskState]) -> TerminalError:
    """Return an error with the failed task, its error and the place of its log."""
    failed = next((task for task in tasks if task.state == "failed"), None)
    if failed is None:
        return TerminalError(f"{run.dag_id} failed: {airflow.url_of(run)}")
    log = airflow.url_of(run, failed)
    if "airflow" not in here.dsn:
        place = f"dag_id={run.dag_id}/run_id={run.run_id}/task_id={failed.task_id}/attempt={failed.try_number}.log"
        log = str(here.state / "logs" / "airflow" / place)
    return TerminalError(f"{run.dag_id}: {failed.task_id} failed: {airflow.get_last_error(run, failed)} (log: {log})")


def _show_where(airflow: AirflowClient, report: Path) -> None:
    """Print where to find the results; print the password only to a terminal, because a log may be kept."""
    command = sys.argv[0]
    password = airflow.password if sys.stdout.isatty() else f"see `{command} dsn airflow`"
    places = {
        "Airflow": airflow.address,
        "  login": airflow.user,
        "  password": password,
        "Warehouse page": f"{airflow.address}/plugin/warehouse",
        "dashboards": str(report),
        "connection strings": f"{command} dsn NAME  ({', '.join(connection_names())})",
        "more": f"{command} --help",
    }
    for name, place in places.items():
        show_line(f"{name:<19} {place}")
