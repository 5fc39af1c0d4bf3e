"""Bring every system's schema to what the files of this repository say.

Each system is a task: the databases of PromptSales and PromptCrm, the warehouse, PromptContent (MongoDB), the event
bus (Kafka). What is there already is left alone, so a run may be repeated at any time. A PostgreSQL database changes
in one transaction. With `dry_run` nothing is changed; the log and the result say what would be.

Roles, passwords and hashing keys are no business of Airflow: `promptsales provision` makes them.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.platform import bus, content, database

with DAG(
    dag_id="platform_provision",
    dag_display_name="Platform, provision",
    description="Schemas as code, brought to every system",
    doc_md=__doc__,
    tags=["by hand", "platform"],
    default_args=TASK_DEFAULTS,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="Change nothing, say what would be changed."
        ),
    },
) as dag:
    database.override(task_id="promptsales")("promptsales", "sources_admin")
    database.override(task_id="promptcrm")("promptcrm", "sources_admin")
    database.override(task_id="warehouse")("warehouse", "warehouse_admin")
    content("promptcontent_admin")
    bus("kafka")
