"""Count the live figures anew from core, once a day, and mend what differs.

The stream moves minutes, days and totals of campaigns by differences. This counts them from `core.campaign_metrics`,
mends and reports those that are not equal, and lets go of minutes past their time (`PROMPTSALES_STREAM_MINUTES_DAYS`).
The stream waits meanwhile, a moment.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.stream import rebuild

with DAG(
    dag_id="realtime_rebuild",
    dag_display_name="Realtime, rebuild",
    description="Minutes, days and totals of campaigns, counted anew from core",
    doc_md=__doc__,
    tags=["daily", "stream", "realtime"],
    default_args=TASK_DEFAULTS,
    schedule=CronDataIntervalTimetable("20 3 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
) as dag:
    rebuild()
