"""Audit what the stream brought, once an hour, and only then let the marts follow.

For each streamed table:

- counts and sums of the last three hours are compared with the source, hour by hour; from three hours before the last
  audit that went well, where that is longer ago. Rows of hours that differ are compared one by one; what still differs
  when all that was written by then is applied is repaired, and reported in `ops.reconciliation`. Rows that the table
  cannot hold are put in quarantine, and named in the log. Before that the rows in quarantine are judged again;
- the whole `expectations.yml` runs over what was loaded in these hours; results are rows in `ops.check_result`;
- the table's asset is sent, so that the marts built on it are built anew. Where a rule fails that is more than a
  warning the task fails instead, and the marts stay as they were.

A table of which nothing has come, and in which nothing differs, is skipped after the comparison: no asset is sent.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.alerts import DEADLINE
from promptsales.orchestration.assets import CORE
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.stream import audit
from promptsales.specs.stream import stream_contracts

with DAG(
    dag_id="stream_audit",
    dag_display_name="Stream, audit",
    description="The stream's last hours against their source and their rules, then the marts",
    doc_md=__doc__,
    tags=["hourly", "stream", "core"],
    default_args=TASK_DEFAULTS,
    schedule=CronDataIntervalTimetable("2 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    deadline=DEADLINE,
    is_paused_upon_creation=True,
) as dag:
    for contract in stream_contracts().values():
        outlets = [CORE[contract.table]] if contract.layer == "core" else []
        audit.override(task_id=contract.table, outlets=outlets)(contract.table)
