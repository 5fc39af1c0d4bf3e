"""A feed that fails stops no other feed: no task of one waits for a task of another."""

from airflow.dag_processing.dagbag import DagBag

from promptsales.contracts import contracts
from promptsales.settings import ROOT


def test_no_feed_waits_for_another() -> None:
    bag = DagBag(str(ROOT / "dags"))
    waits = {
        (dag_id, task.task_id, before)
        for dag_id in ("promptcrm_hourly", "warehouse_reconcile", "warehouse_quality")
        for task in bag.dags[dag_id].tasks
        for before in task.get_flat_relative_ids(upstream=True)
        if _feed(task.task_id) != _feed(before)
    }
    assert waits == set()


def _feed(task_id: str) -> str:
    """The feed a task belongs to: by its group, or by the beginning of its name."""
    return next((feed for feed in contracts() if task_id.startswith((f"{feed}.", f"{feed}_"))), task_id)
