"""The three tasks that load a feed: extract, check, publish."""

from datetime import UTC, datetime
from typing import Any

import psycopg
from airflow.sdk import AssetAlias, TaskGroup, TriggerRule, get_current_context, setup, task

from promptsales.feeds.models import Audit, Staged, Window
from promptsales.feeds.state import claim_hold_alert
from promptsales.load import steps
from promptsales.orchestration.alerts import alert_held_watermark
from promptsales.orchestration.assets import CORE, describe_event
from promptsales.orchestration.connections import forget_responses, postgres, source
from promptsales.orchestration.window import WINDOW, refuse_unknown_keys, window_of
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.feed import Contract, contract, contracts

WAREHOUSE = "warehouse"
# resolved to the table's asset only when core changed: no event when every row went to quarantine
CHANGED = AssetAlias("core.changed")

log = logger(__name__)


def feed_groups(system: str) -> None:
    """Add the task that decides what the run loads, and a task group for each feed of a system, to the current DAG.

    A feed whose checks look up rows of another feed starts when that feed has ended, even if it failed.
    """
    feeds = {name: feed for name, feed in contracts().items() if feed.source.system == system}
    groups = {name: feed_group(feed) for name, feed in feeds.items()}
    chosen = window()
    for name, feed in feeds.items():
        # the others follow it through an earlier feed: a failed setup task also stops what follows it indirectly
        for earlier in [groups[other] for other in feed.after] or [chosen]:
            earlier >> groups[name]


def feed_group(feed: Contract) -> TaskGroup:
    """Return the task group that loads one feed: the window that ``window`` returned, or else the delta.

    When the source has nothing new, extract short-circuits: the scheduler skips check and publish without starting a
    process for them, and no asset event is sent.
    """
    with TaskGroup(feed.table, tooltip=feed.description) as group:
        # at parse time these are XComArgs, not values
        rule = TriggerRule.ALL_DONE if feed.after else TriggerRule.ALL_SUCCESS
        staged: Any = extract.override(pool=feed.source.system, trigger_rule=rule)(feed.table)
        audit: Any = check(feed.table, staged)
        publish(feed.table, staged, audit)
    return group


# a setup task: when it fails, no feed is loaded, although a feed is when the one before it failed
@setup
@task
def window() -> dict[str, Any] | None:
    """Return the window that the run replays, None for what is new; fail once for all feeds when it is not valid."""
    context = get_current_context()
    run, params = context["dag_run"], context["params"]
    refuse_unknown_keys(run.conf, WINDOW)
    chosen = window_of(run.run_type, (run.data_interval_start, run.data_interval_end), params, datetime.now(UTC))
    log.info("%s", chosen or "load what is new since the watermark of each feed")
    return chosen.model_dump(mode="json") if chosen else None


# a skip stays within the feed's group: the groups that follow keep their own trigger rules
@task.short_circuit(ignore_downstream_trigger_rules=False)
def extract(feed: str) -> dict[str, Any] | None:
    """Copy the feed's new rows, or those of a window, into staging; return None when there is nothing to check."""
    context = get_current_context()
    run, chosen = context["dag_run"], context["ti"].xcom_pull(task_ids="window")
    spec, replayed = contract(feed), Window.model_validate(chosen) if chosen else None
    with source(spec) as opened, postgres(WAREHOUSE) as warehouse:
        staged = steps.extract(spec, opened, warehouse, replayed, f"airflow:{run.dag_id}/{run.run_id}")
        if staged.progress.is_held_back(staged.read_at):
            _report_hold(spec.source.system, staged, warehouse)
    log.info(
        "%s: %s: %d rows, %d of them unchanged, %d suppressed; complete through %s",
        *(
            feed,
            replayed or "new",
            staged.extracted,
            staged.unchanged,
            staged.suppressed,
            staged.progress.complete_through,
        ),
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
        "%s: %s: %d rows = inserted %d + updated %d + unchanged %d + quarantined %d + suppressed %d",
        *(feed, result.window or "new", result.extracted, result.inserted, result.updated),
        *(result.unchanged, result.quarantined, result.suppressed),
    )
    return result.model_dump(mode="json")
