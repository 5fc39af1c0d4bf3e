"""Build what changed of the marts: Spark aggregates, Great Expectations checks, readers see all of a mart or nothing.

Runs when a table of core changed, and once an hour, as the stream changes some of them all the time.

1. **plan** looks up what was touched since each mart was built. Where nothing was, the run ends here, without Spark.
   A mart whose input failed its last audit is skipped; the log says so.
2. **build** starts Spark once and builds the marts side by side; a mart waits only for those it is built from. It
   builds the days, months or cohorts that were touched, those that are complete since the last run, and those that are
   provisional no more. Each mart is checked, then published in one transaction as soon as Spark has filled it; the log
   says how far each is. Replaced values of settled days are kept in `ops.restatement`.

A run may be repeated: it changes nothing. To rebuild days by hand, trigger the DAG with `start` and `end`, or `full`.
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
    dag_display_name="Warehouse, marts",
    description="What changed of the marts, built by Spark, checked, published",
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
        "end": Param(None, type=["null", "string"], format="date", title="Until", description="Day after the last."),
        "full": Param(False, type="boolean", title="Everything", description="Rebuild all days of all marts."),
    },
) as dag:
    due: Any = plan()
    build(due)
