"""Apply the schemas in this repository to every system.

One task per system: the databases of PromptSales and PromptCrm, the warehouse, PromptContent (MongoDB), and the event
bus (Kafka). Objects that already match are not touched, so you can run this at any time. The warehouse changes
in one transaction. With `dry_run` nothing changes; the log and the task result list what would change.

Airflow does not manage roles, passwords and hashing keys, and cannot log in as the owners of the sources, as whom their
migrations run; run `promptsales provision` for those.

The tasks need administrators' connections, which Airflow has only if you set `PROMPTSALES_PROVISION_IN_AIRFLOW=true`:
with them, everybody who can edit a DAG is an administrator of every system. `promptsales provision` does the same
without them.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from promptsales.orchestration.conf import check_conf_first
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.platform import provision_collections, provision_database, provision_topics

with DAG(
    dag_id="platform_provision",
    description="Apply the schemas in this repository to every system",
    doc_md=__doc__,
    tags=["by hand", "platform"],
    default_args=TASK_DEFAULTS,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="List what would change without changing anything."
        ),
    },
) as dag:
    provision_database.override(task_id="promptsales")("promptsales", "sources_admin")
    provision_database.override(task_id="promptcrm")("promptcrm", "sources_admin")
    provision_database.override(task_id="warehouse")("warehouse", "warehouse_admin")
    provision_collections("promptcontent_admin")
    provision_topics("kafka")
    check_conf_first(dag, "dry_run")
