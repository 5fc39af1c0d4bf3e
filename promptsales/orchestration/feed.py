"""The three tasks that load a feed: extract, check, publish."""

from typing import Any

import psycopg
from airflow.sdk import AssetAlias, TaskGroup, TriggerRule, get_current_context, task

from promptsales.feeds.models import Audit, Staged
from promptsales.feeds.state import claim_hold_alert
from promptsales.load import steps
from promptsales.orchestration.alerts import alert_held_watermark
from promptsales.orchestration.assets import CORE, describe_event
from promptsales.orchestration.connections import forget_responses, postgres, source
from promptsales.orchestration.window import window_of
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.feed import Contract, contract, contracts

WAREHOUSE = "warehouse"
# resolved to the table's asset only when core changed: no event when every row went to quarantine
CHANGED = AssetAlias("core.changed")

log = logger(__name__)


def feed_groups(system: str) -> None:
    """Add a task group for each feed of a system to the current DAG.

    A feed whose checks look up rows of another feed starts when that feed has ended, even if it failed.
    """
    feeds = {name: feed for name, feed in contracts().items() if feed.source.system == system}
    groups = {name: feed_group(feed) for name, feed in feeds.items()}
    for name, feed in feeds.items():
        for earlier in feed.after:
            groups[earlier] >> groups[name]


def feed_group(feed: Contract) -> TaskGroup:
    """Return the task group that loads one feed.

    When the source has nothing new, extract short-circuits: the scheduler skips check and publish without starting a
    process for them, and no asset event is sent.
    """
    with TaskGroup(feed.table, tooltip=feed.description) as group:
        # at parse time these are XComArgs, not values
        staged: Any = extract.override(pool=feed.source.system, trigger_rule=TriggerRule.ALL_DONE)(feed.table)
        audit: Any = check(feed.table, staged)
        publish(feed.table, staged, audit)
    return group


# a skip stays within the feed's group: the groups that follow keep their own trigger rules
@task.short_circuit(ignore_downstream_trigger_rules=False)
def extract(feed: str) -> dict[str, Any] | None:
    """Copy the feed's new rows into staging; return None when there is nothing to check."""
    context = get_current_context()
    run = context["dag_run"]
    window = window_of(run.run_type, (run.data_interval_start, run.data_interval_end), context["params"])
    spec = contract(feed)
    with source(spec) as opened, postgres(WAREHOUSE) as warehouse:
        staged = steps.extract(spec, opened, warehouse, window, f"airflow:{run.dag_id}/{run.run_id}")
        if staged.progress.is_held_back(staged.read_at):
            _report_hold(spec.source.system, staged, warehouse)
    log.info(
        "%s: extracted %d rows, %d of them unchanged, %d suppressed; complete through %s",
        *(feed, staged.extracted, staged.unchanged, staged.suppressed, staged.progress.complete_through),
    )
    return None if staged.is_empty else staged.model_dump(mode="json")


def _report_hold(system: str, staged: Staged, warehouse: psycopg.Connection) -> None:
    progress = staged.progress
    log.warning("%s: complete only through %s, held by %s", staged.feed, progress.complete_through, progress.held_by)
    if claim_hold_alert(warehouse, system, staged):
        alert_held_watermark(system, staged)


@task(pool=WAREHOUSE)
def check(feed: str, staged: dict[str, Any]) -> dict[str, Any]:
    """Check the rows in staging, and mark those that break a row rule."""
    with postgres(WAREHOUSE) as warehouse:
        audit = steps.check(contract(feed), warehouse, Staged.model_validate(staged), settings().limits)
    log.info(
        "%s: %d checks passed, %d failed, %d rows to quarantine",
        *(feed, audit.checks_passed, audit.checks_failed, audit.quarantined),
    )
    return audit.model_dump(mode="json")


@task(pool=WAREHOUSE, outlets=[CHANGED])
def publish(feed: str, staged: dict[str, Any], audit: dict[str, Any]) -> dict[str, Any]:
    """Move the rows from staging into core, in one transaction."""
    with postgres(WAREHOUSE) as warehouse:
        result = steps.publish(contract(feed), warehouse, Staged.model_validate(staged), Audit.model_validate(audit))
    forget_responses(f"core.{feed}")
    if result.is_changed:
        extra = describe_event(f"core.{feed}", result.inserted + result.updated, result.complete_through)
        get_current_context()["outlet_events"][CHANGED].add(CORE[feed], extra)
    log.info(
        "%s: extracted %d = inserted %d + updated %d + unchanged %d + quarantined %d + suppressed %d",
        *(feed, result.extracted, result.inserted, result.updated),
        *(result.unchanged, result.quarantined, result.suppressed),
    )
    return result.model_dump(mode="json")
