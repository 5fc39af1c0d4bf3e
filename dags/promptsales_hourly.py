"""Load the users and subscriptions that changed in PromptSales core into the warehouse, once an hour.

Rows are read through views that hash personal data, so clear text never leaves the source. The views do not contain
password hashes.
"""

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.feed import feed_groups
from promptsales.orchestration.feed_dags import HOURLY, HOW_FEEDS_LOAD

with DAG(
    dag_id="promptsales_hourly",
    description="Load changed users and subscriptions, hashed and checked, into the warehouse",
    doc_md=f"{__doc__}{HOW_FEEDS_LOAD}",
    tags=["hourly", "promptsales", "core"],
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    **HOURLY,
) as dag:
    feed_groups("promptsales")
