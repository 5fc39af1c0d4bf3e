"""Check every 15 minutes whether the stream keeps up.

A task fails and alerts when a connector's tables are stale or its replication slot is lost. The message gives the lag
at each hop: the slot at the source, the events on the bus, and the last commit applied.
"""

from datetime import UTC, datetime
from typing import get_args

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.conf import check_conf_first
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.stream import check_health
from promptsales.specs.stream import Connector

with DAG(
    dag_id="stream_health",
    description="Alert when the stream falls behind",
    doc_md=__doc__,
    tags=["stream", "platform"],
    default_args=TASK_DEFAULTS,
    schedule=CronDataIntervalTimetable("7-59/15 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
) as dag:
    for connector in get_args(Connector):
        check_health.override(task_id=connector)(connector)
    check_conf_first(dag)
