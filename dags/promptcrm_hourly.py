"""Load what changed in PromptCrm into the warehouse, once an hour.

Each feed is a group of three tasks:

1. **extract** copies the rows changed since the feed's watermark through the hashing view into staging (clear text
   stays at the source) and takes out what core holds already. When nothing is left, the other two are skipped.
2. **check** judges staging by the feed's `expectations.yml`; a bad row goes to quarantine, a bad batch stops here.
3. **publish** moves staging into core in one transaction, with history, counts and the watermark.

A scheduled, manual or cleared run loads from the watermark to the frontier, whatever its interval says.
To replay rows, start a backfill (each run replays its own hour), or trigger the DAG with `start` and `end`.
Both take the same path, and leave the watermark where it is. Every run may be repeated.
"""

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from promptsales.contracts import contracts
from promptsales.orchestration.defaults import TASK_DEFAULTS
from promptsales.orchestration.feed import feed_group

SYSTEM = "promptcrm"

with DAG(
    dag_id="promptcrm_hourly",
    dag_display_name="PromptCrm, hourly",
    description="What changed in the CRM, hashed and audited, into the warehouse",
    doc_md=__doc__,
    tags=["hourly", SYSTEM, "core"],
    default_args=TASK_DEFAULTS,
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
    params={
        "start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Replay from",
            description="The first instant to replay, inclusive. Leave both empty to load what is new.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Replay until",
            description="The end of the replay, not included. A replay does not move the watermark.",
        ),
    },
) as dag:
    for contract in contracts().values():
        if contract.source.system == SYSTEM:
            feed_group(contract)
