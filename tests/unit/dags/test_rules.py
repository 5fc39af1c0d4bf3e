"""Rules for every DAG file; a failure names the DAG and the fix."""

import subprocess
import sys
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from promptsales.orchestration.alerts import DEADLINE, on_failure
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.settings import ROOT

FILES = sorted((ROOT / "dags").glob("*.py"))
LINES = 80

# imports each file; a deprecated import is an error here, while Airflow's own parser would only warn
IMPORT_ALL = """
import importlib.util, sys, warnings
import airflow.sdk
warnings.simplefilter("error")
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("dag_file", path)
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except Warning as warning:
        sys.exit(f"{path} warns: {warning}")
    heavy = [name for name in ("great_expectations", "pyspark", "pandas") if name in sys.modules]
    if heavy:
        sys.exit(f"{path} imports {', '.join(heavy)}: import it inside the task, the file is parsed every few seconds")
"""


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(str(ROOT / "dags"))


@pytest.fixture(params=[path.stem for path in FILES])
def dag(request: pytest.FixtureRequest, bag: DagBag) -> Any:
    name = request.param
    assert name in bag.dags, f"dags/{name}.py has no DAG {name}: give its DAG the id of the file; {bag.import_errors}"
    return bag.dags[name]


def test_every_file_imports(bag: DagBag) -> None:
    faults = [f"{path}: {trace.splitlines()[-1]}" for path, trace in bag.import_errors.items()]
    assert not faults, "\n".join(faults)


def test_one_dag_a_file(bag: DagBag) -> None:
    assert sorted(bag.dags) == [path.stem for path in FILES], "one DAG per file, with the name of its file as id"


def test_nothing_heavy_or_deprecated_is_imported() -> None:
    command = [sys.executable, "-c", IMPORT_ALL, *map(str, FILES)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_is_short(path: Any) -> None:
    lines = len(path.read_text().splitlines())
    assert lines < LINES, (
        f"{path.name} has {lines} lines: a DAG file is wiring, move the work to promptsales/orchestration"
    )


def test_docs(dag: Any) -> None:
    assert dag.doc_md, f"{dag.dag_id} has no docs: write a module docstring and pass doc_md=__doc__"
    assert dag.description, f"{dag.dag_id} has no description: one line for the list of DAGs"


def test_display_name(dag: Any) -> None:
    assert dag.dag_display_name == dag.dag_id, f"{dag.dag_id}: remove dag_display_name, logs and docs use the id"


def test_tags(dag: Any) -> None:
    assert dag.tags, f"{dag.dag_id} has no tags: name its rhythm and its system"


def test_one_task_checks_the_configuration_of_a_run(dag: Any) -> None:
    first = [task.task_id for task in dag.roots]
    assert first in (["window"], ["plan"], ["conf"]), (
        f"{dag.dag_id} starts with {first}: call check_conf_first(dag) at its end: a run with a key "
        "that nobody reads must fail once"
    )


def test_owner(dag: Any) -> None:
    for task in dag.tasks:
        assert task.owner == TASK_DEFAULTS["owner"], f"{dag.dag_id}.{task.task_id}: pass default_args=TASK_DEFAULTS"


def test_retries_are_for_transient_errors_only(dag: Any) -> None:
    for task in dag.tasks:
        assert task.retries, f"{dag.dag_id}.{task.task_id} has no retries: pass default_args=TASK_DEFAULTS"
        assert task.retry_policy is TASK_DEFAULTS["retry_policy"], (
            f"{dag.dag_id}.{task.task_id} retries terminal errors too"
        )
        assert task.execution_timeout, f"{dag.dag_id}.{task.task_id} may hang for ever: give it an execution_timeout"


def test_one_run_at_a_time(dag: Any) -> None:
    assert dag.max_active_runs == 1, f"{dag.dag_id}: max_active_runs must be 1, a newer run fences the older"


def test_schedule(dag: Any) -> None:
    # a bare cron string or @hourly has no data interval in Airflow 3, so a backfill would replay nothing
    # (of a schedule by assets or time, check the time)
    timetable = getattr(dag.timetable, "timetable", dag.timetable)
    assert type(timetable).__name__ in ("CronDataIntervalTimetable", "NullTimetable"), (
        f"{dag.dag_id}: schedule must be CronDataIntervalTimetable(..., timezone='UTC') or None, is {dag.timetable!r}"
    )
    assert not dag.catchup, f"{dag.dag_id}: catchup must be False, the watermark catches up by itself"
    assert dag.start_date, f"{dag.dag_id}: needs a fixed start_date"


def test_alerts(dag: Any) -> None:
    for task in dag.tasks:
        assert on_failure in task.on_failure_callback, (
            f"{dag.dag_id}.{task.task_id} fails unheard: pass default_args=TASK_DEFAULTS"
        )
    if "hourly" in dag.tags:
        assert dag.deadline == [DEADLINE], f"{dag.dag_id} may be late unheard: pass **HOURLY"
