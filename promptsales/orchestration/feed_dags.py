"""The DAG arguments and the documentation that the hourly DAGs share; each DAG file sets its own schedule."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Param

from promptsales.orchestration.alerts import DEADLINE
from promptsales.orchestration.defaults import TASK_DEFAULTS

# several DAGs share these objects; Airflow does not modify them
HOURLY: dict[str, Any] = {
    "default_args": TASK_DEFAULTS,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "deadline": DEADLINE,
    "is_paused_upon_creation": True,
    "params": {
        "start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Replay from",
            description="Start of the replay, inclusive. Leave both fields empty to load new rows.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Replay until",
            description="End of the replay, exclusive. A replay does not move the watermark.",
        ),
    },
}

# appended to the docs of each hourly DAG
HOW_FEEDS_LOAD = """
The task **window** decides what the run loads: a window to replay, or what is new. When the window is not valid, it
fails and no feed is loaded. Then each feed is a group of three tasks:

1. **extract** copies the rows that changed since the feed's watermark into staging and removes those that core already
   has. When no row is left, the scheduler skips the other two tasks.
2. **check** checks staging against the feed's `expectations.yml`. Bad rows go to quarantine; a bad batch fails here.
3. **publish** moves the rows from staging into core in one transaction, with history, counts and the watermark.

A scheduled, manual or cleared run loads from the watermark to the frontier, regardless of its data interval.
To replay rows, start a backfill (each run replays its own hour), or trigger the DAG with `start` and `end`.
A replay runs the same tasks and does not move the watermark. Every run can be repeated safely.
"""
