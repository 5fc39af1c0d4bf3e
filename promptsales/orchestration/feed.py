"""The three tasks that load a feed: extract, check, publish."""

from typing import Any

import psycopg
from airflow.sdk import AssetAlias, TaskGroup, TriggerRule, get_current_context, task

from promptsales.feeds.models import Audit, Staged
from promptsales.feeds.state import claim_hold_alert
from promptsales.load import steps
from promptsales.orchestration.alerts import watermark_is_held
from promptsales.orchestration.assets import CORE
from promptsales.orchestration.connections import forget_responses, postgres, source
from promptsales.orchestration.window import window_of
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.feed import Contract, contract, contracts

WAREHOUSE = "warehouse"
# stands for the asset of a table that changed: no event where all that came went to quarantine
CHANGED = AssetAlias("core.changed")

log = logger(__name__)


def feed_groups(system: str) -> None:
    """The groups of all feeds of one system, in the DAG that is being built.

    A feed whose checks look up another's rows starts when that one has ended, well or not: it loads all the same.
    """
    feeds = {name: feed for name, feed in contracts().items() if feed.source.system == system}
    groups = {name: feed_group(feed) for name, feed in feeds.items()}
    for name, feed in feeds.items():
        for earlier in feed.after:
            groups[earlier] >> groups[name]


def feed_group(feed: Contract) -> TaskGroup:
    """One feed's tasks as a group that bears its name.

    Where the source has nothing that core does not hold already, extract short-circuits: check and publish are skipped
    by the scheduler, no process of theirs starts, and no asset event is sent.
    """
    with TaskGroup(feed.table, tooltip=feed.description) as group:
        # at parse time these stand for values to come
        staged: Any = extract.override(pool=feed.source.system, trigger_rule=TriggerRule.ALL_DONE)(feed.table)
        audit: Any = check(feed.table, staged)
        publish(feed.table, staged, audit)
    return group


# skips its own group only: what waits for the group goes by its own trigger rule
@task.short_circuit(ignore_downstream_trigger_rules=False)
def extract(feed: str) -> dict[str, Any] | None:
    """Copy the feed's new rows into staging; None where nothing is left to check."""
    context = get_current_context()
    run = context["dag_run"]
    window = window_of(run.run_type, (run.data_interval_start, run.data_interval_end), context["params"])
    found = contract(feed)
    with source(found) as opened, postgres(WAREHOUSE) as warehouse:
        staged = steps.extract(found, opened, warehouse, window, f"airflow:{run.dag_id}/{run.run_id}")
        if staged.progress.is_held_back(staged.read_at):
            _tell_hold(found.source.system, staged, warehouse)
    log.info(
        "%s: extracted %d rows, %d of them unchanged, %d suppressed; complete through %s",
        *(feed, staged.extracted, staged.unchanged, staged.suppressed, staged.progress.complete_through),
    )
    return None if staged.is_empty else staged.model_dump(mode="json")


def _tell_hold(system: str, staged: Staged, warehouse: psycopg.Connection) -> None:
    progress = staged.progress
    log.warning("%s: complete through %s only, held by %s", staged.feed, progress.complete_through, progress.held_by)
    if claim_hold_alert(warehouse, system, staged):
        watermark_is_held(system, staged)


@task(pool=WAREHOUSE)
def check(feed: str, staged: dict[str, Any]) -> dict[str, Any]:
    """Judge what lies in staging, and mark the rows that break a row rule."""
    with postgres(WAREHOUSE) as warehouse:
        audit = steps.check(contract(feed), warehouse, Staged.model_validate(staged), settings().limits)
    log.info(
        "%s: %d checks passed, %d failed, %d rows to quarantine",
        *(feed, audit.checks_passed, audit.checks_failed, audit.quarantined),
    )
    return audit.model_dump(mode="json")


@task(pool=WAREHOUSE, outlets=[CHANGED])
def publish(feed: str, staged: dict[str, Any], audit: dict[str, Any]) -> dict[str, Any]:
    """Move staging into core, in one transaction."""
    with postgres(WAREHOUSE) as warehouse:
        result = steps.publish(contract(feed), warehouse, Staged.model_validate(staged), Audit.model_validate(audit))
    forget_responses(f"core.{feed}")
    if result.is_changed:
        get_current_context()["outlet_events"][CHANGED].add(CORE[feed])
    log.info(
        "%s: extracted %d = inserted %d + updated %d + unchanged %d + quarantined %d + suppressed %d",
        *(feed, result.extracted, result.inserted, result.updated),
        *(result.unchanged, result.quarantined, result.suppressed),
    )
    return result.model_dump(mode="json")
