"""Compare the marts with core and with each other, once a day.

- The totals of every day of campaign performance equal those of core exactly, and the hours add up to the days.
- MRR: opening + new + expansion + reactivation - contraction - churn = closing.
- No step of the funnel has more leads than the step before.
- Warnings: the stages of a deal overlap or leave gaps; the ads of a campaign cost more than the campaign.

Days that were touched since their mart was built are skipped. Results are rows in `ops.check_result` (feed `marts`).
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.conf import check_conf_first
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.marts import cross_check

with DAG(
    dag_id="warehouse_cross_checks",
    description="Compare the marts with core and with each other",
    doc_md=__doc__,
    tags=["daily", "warehouse", "marts"],
    default_args=TASK_DEFAULTS,
    schedule=CronDataIntervalTimetable("50 4 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
) as dag:
    cross_check()
    check_conf_first(dag)
