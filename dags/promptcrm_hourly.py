"""Load what changed in PromptCrm into the warehouse, once an hour.

Rows are read through the hashing views: clear text stays at the source.
"""

from airflow.sdk import DAG

from promptsales.orchestration.feed import feed_groups
from promptsales.orchestration.hourly import HOURLY, HOW_FEEDS_LOAD

with DAG(
    dag_id="promptcrm_hourly",
    dag_display_name="PromptCrm, hourly",
    description="What changed in the CRM, hashed and audited, into the warehouse",
    doc_md=f"{__doc__}{HOW_FEEDS_LOAD}",
    tags=["hourly", "promptcrm", "core"],
    **HOURLY,
) as dag:
    feed_groups("promptcrm")
