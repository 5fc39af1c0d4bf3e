"""Load the rows that changed in PromptCrm into the warehouse, once an hour.

Rows are read through views that hash personal data, so clear text never leaves the source.
"""

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.feed import feed_groups
from promptsales.orchestration.feed_dags import HOURLY, HOW_FEEDS_LOAD

with DAG(
    dag_id="promptcrm_hourly",
    description="Load changed CRM rows, hashed and checked, into the warehouse",
    doc_md=f"{__doc__}{HOW_FEEDS_LOAD}",
    tags=["hourly", "promptcrm", "core"],
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    **HOURLY,
) as dag:
    feed_groups("promptcrm")
