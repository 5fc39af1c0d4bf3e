"""What every hourly DAG has in common: its rhythm, its form, and how it says what its feeds do."""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param

from promptsales.orchestration.alerts import DEADLINE
from promptsales.orchestration.defaults import TASK_DEFAULTS

# arguments of the DAG; Airflow keeps what it is given, so the same ones may go to several
HOURLY: dict[str, Any] = {
    "default_args": TASK_DEFAULTS,
    "schedule": CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
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
            description="The first instant to replay, inclusive. Leave both empty to load what is new.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Replay until",
            description="The end of the replay, not included. A replay does not move the watermark.",
        ),
    },
}

# goes on where a DAG's own docs end
HOW_FEEDS_LOAD = """
Each feed is a group of three tasks:

1. **extract** copies what changed since the feed's watermark into staging and takes out what core holds already.
   When nothing is left, the other two are skipped.
2. **check** judges staging by the feed's `expectations.yml`; a bad row goes to quarantine, a bad batch stops here.
3. **publish** moves staging into core in one transaction, with history, counts and the watermark.

A scheduled, manual or cleared run loads from the watermark to the frontier, whatever its interval says.
To replay rows, start a backfill (each run replays its own hour), or trigger the DAG with `start` and `end`.
Both take the same path, and leave the watermark where it is. Every run may be repeated.
"""
