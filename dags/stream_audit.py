"""Audit the streamed tables once an hour; marts are rebuilt only from audited rows.

The task of a table does the following:

1. It checks the rows in quarantine again.
2. It compares hourly counts, sums and hashes with the source, for the last three hours, or since three hours before
   the last successful audit if that is longer ago. In hours that differ it compares the rows one by one, waits until
   the stream has caught up, repairs the rows that still differ, and records them in `ops.reconciliation`. Rows that the
   table cannot hold go to quarantine and are listed in the log.
3. It runs the whole `expectations.yml` over the rows loaded in these hours. The results are rows in `ops.check_result`.
4. It emits the table's asset event, so that the marts built from it are rebuilt. If a rule fails that is not a warning,
   the task fails instead, and the marts are not rebuilt.

If no event arrived and no row differs, the task ends as skipped after the comparison, and emits no asset event.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.alerts import DEADLINE
from promptsales.orchestration.assets import CORE
from promptsales.orchestration.conf import check_conf_first
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.stream import audit
from promptsales.specs.stream import stream_contracts

with DAG(
    dag_id="stream_audit",
    description="Compare the stream's last hours with the sources and check their rules",
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
    check_conf_first(dag)
