"""A feed that fails stops no other feed: tasks after another feed's tasks run whatever their state."""

from airflow.dag_processing.dagbag import DagBag

from promptsales.reconcile.original import is_comparable
from promptsales.settings import ROOT
from promptsales.specs.feed import contracts


def test_no_feed_needs_another_to_succeed() -> None:
    bag = DagBag(str(ROOT / "dags"))
    needs = {
        (dag.dag_id, task.task_id, before)
        for dag in bag.dags.values()
        # a mart is built from several feeds: its DAG plans all of them and then builds
        if dag.dag_id != "warehouse_marts"
        for task in dag.tasks
        for before in task.upstream_task_ids
        # a window that is none, or a key that nobody reads, stops every feed
        if before not in ("window", "conf") and _feed(task.task_id) != _feed(before) and task.trigger_rule != "all_done"
    }
    assert needs == set()


def test_a_window_that_is_not_valid_stops_every_feed() -> None:
    for dag in DagBag(str(ROOT / "dags")).dags.values():
        starts = [task for task in dag.tasks if task.task_id.endswith(".extract") and dag.has_task("window")]
        first = [task.task_id for task in starts if "window" in task.upstream_task_ids]
        assert all(task.trigger_rule == "all_success" for task in starts if task.task_id in first)
        # a failed setup task also stops what follows it indirectly, by Airflow's own rule
        assert all("window" in {task.task_id for task in start.get_upstreams_only_setups()} for start in starts)
        assert (bool(first), dag.has_task("window")) in {(True, True), (False, False)}


def test_a_comparison_that_failed_loads_nothing() -> None:
    dag = DagBag(str(ROOT / "dags")).dags["warehouse_reconcile"]
    after = [task for task in dag.tasks if any(name.endswith("_compare") for name in task.upstream_task_ids)]
    assert [(task.task_id, task.trigger_rule) for task in after] == [
        (f"{name}.extract", "all_success") for name, feed in contracts().items() if is_comparable(feed)
    ]


def _feed(task_id: str) -> str:
    """Return the feed of a task: its group, or the beginning of its name."""
    return next((feed for feed in contracts() if task_id.startswith((f"{feed}.", f"{feed}_"))), task_id)
