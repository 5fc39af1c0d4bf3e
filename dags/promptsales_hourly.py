"""Load what changed in PromptSales core (users, subscriptions) into the warehouse, once an hour.

Rows are read through the hashing views: clear text stays at the source, and passwords are not read at all.
"""

from airflow.sdk import DAG

from promptsales.orchestration.feed import feed_groups
from promptsales.orchestration.hourly import HOURLY, HOW_FEEDS_LOAD

with DAG(
    dag_id="promptsales_hourly",
    dag_display_name="PromptSales, hourly",
    description="Users and subscriptions that changed, hashed and audited, into the warehouse",
    doc_md=f"{__doc__}{HOW_FEEDS_LOAD}",
    tags=["hourly", "promptsales", "core"],
    **HOURLY,
) as dag:
    feed_groups("promptsales")
