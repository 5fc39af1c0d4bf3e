"""Load what changed in PromptContent into the warehouse, once an hour.

The changes since the last run are drained from each collection's change stream, deletes included. Prompts and answers
are hashed in memory; the hashed rows go onto the Kafka topics `promptcontent.*`, and are read from there into staging.
"""

from airflow.sdk import DAG

from promptsales.orchestration.feed import feed_groups
from promptsales.orchestration.hourly import HOURLY, HOW_FEEDS_LOAD

with DAG(
    dag_id="promptcontent_hourly",
    dag_display_name="PromptContent, hourly",
    description="What changed in PromptContent, hashed, through Kafka, and audited, into the warehouse",
    doc_md=f"{__doc__}{HOW_FEEDS_LOAD}",
    tags=["hourly", "promptcontent", "core"],
    **HOURLY,
) as dag:
    feed_groups("promptcontent")
