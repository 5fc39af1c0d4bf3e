"""The DAG arguments that the daily DAGs of the warehouse share."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import CronDataIntervalTimetable

from promptsales.orchestration.defaults import TASK_DEFAULTS


def daily(at: str) -> dict[str, Any]:
    """Return the arguments of a DAG that runs once a day.

    Args:
        at: minute and hour (UTC) in cron order; not close to the full hour, when feeds are loaded.
    """
    return {
        "default_args": TASK_DEFAULTS,
        "schedule": CronDataIntervalTimetable(f"{at} * * *", timezone="UTC"),
        "start_date": datetime(2026, 1, 1, tzinfo=UTC),
        "catchup": False,
        "max_active_runs": 1,
        "is_paused_upon_creation": True,
    }
