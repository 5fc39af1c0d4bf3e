"""Recount the live figures from core once a day, and correct those that differ.

The stream updates the minutes, days and totals of campaigns incrementally. This DAG recounts them from
`core.campaign_metrics`, corrects and reports the figures that differ, and deletes minutes, and rows of
`ops.stream_lag`, older than `PROMPTSALES_STREAM_MINUTES_DAYS`. The stream is blocked for a moment while it runs.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.conf import check_conf_first
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.stream import rebuild

with DAG(
    dag_id="realtime_rebuild",
    description="Recount minutes, days and totals of campaigns from core",
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
    check_conf_first(dag)
