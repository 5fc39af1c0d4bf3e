"""Compare the marts with core and with each other, once a day.

- Every day of campaign performance adds up to core, to the last decimal; the hours add up to the days.
- MRR: opening + new + expansion + reactivation - contraction - churn = closing.
- No step of the funnel is wider than the one before.
- Warnings: a deal's stages that do not follow one another; ads that cost more than campaigns did.

Days that were touched since their mart was built are left out. Results are rows of `ops.check_result` (feed `marts`).
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.marts import tie

with DAG(
    dag_id="warehouse_cross_checks",
    dag_display_name="Warehouse, cross-checks",
    description="Marts against core and against each other",
    doc_md=__doc__,
    tags=["daily", "warehouse", "marts"],
    default_args=TASK_DEFAULTS,
    schedule=CronDataIntervalTimetable("50 4 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
) as dag:
    tie()
