"""Rebuild the days of the marts that changed: Spark aggregates them, Great Expectations checks them.

Runs when a table of core changes, and once an hour because the stream changes some tables all the time.

1. **plan** finds the days that were touched since each mart was built. If there are none, the run ends here without
   starting Spark. A mart whose input failed its last audit is skipped, with a warning in the log.
2. **build** starts Spark once and builds the marts in parallel; a mart waits only for the marts it is built from. It
   builds the days, months or cohorts that were touched, that became complete, or that are no longer provisional. Once
   Spark has filled a mart, the task checks it and publishes it in one transaction. The log shows the progress of each
   mart. Replaced values of settled days are kept in `ops.restatement`.

Repeating a run changes nothing. To rebuild days, trigger the DAG with `start` and `end`, or with `full`.
`promptsales build` does the same without Airflow.
"""

from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any

from airflow.sdk import DAG, AssetOrTimeSchedule, CronDataIntervalTimetable, Param

from promptsales.orchestration.alerts import DEADLINE
from promptsales.orchestration.assets import CORE
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.marts import build, plan

with DAG(
    dag_id="warehouse_marts",
    description="Rebuild the days of the marts that changed",
    doc_md=__doc__,
    tags=["hourly", "warehouse", "marts"],
    default_args=TASK_DEFAULTS,
    schedule=AssetOrTimeSchedule(
        timetable=CronDataIntervalTimetable("20 * * * *", timezone="UTC"),
        assets=reduce(or_, CORE.values()),
    ),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    deadline=DEADLINE,
    is_paused_upon_creation=True,
    params={
        "start": Param(None, type=["null", "string"], format="date", title="From", description="First day to rebuild."),
        "end": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Until",
            description="The day after the last one.",
        ),
        "full": Param(False, type="boolean", title="All days", description="Rebuild all days of all marts."),
    },
) as dag:
    due: Any = plan()
    build(due)
