"""Load the changes in PromptContent into the warehouse, once an hour.

Each task reads a collection's change stream from where the last run stopped, including deletes. Prompts and responses
are hashed in memory. The hashed rows go to the Kafka topics `promptcontent.*` and are read from there into staging.
"""

from airflow.sdk import DAG, CronDataIntervalTimetable

from promptsales.orchestration.feed import feed_groups
from promptsales.orchestration.feed_dags import HOURLY, HOW_FEEDS_LOAD

with DAG(
    dag_id="promptcontent_hourly",
    description="Load changed PromptContent documents, hashed, through Kafka into the warehouse",
    doc_md=f"{__doc__}{HOW_FEEDS_LOAD}",
    tags=["hourly", "promptcontent", "core"],
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    **HOURLY,
) as dag:
    feed_groups("promptcontent")
