"""The tasks that compare feeds and streamed tables with their sources, and load the rows that differ."""

from airflow.sdk import AssetAlias, TriggerRule, get_current_context, task

from promptsales.orchestration.assets import CORE
from promptsales.orchestration.connections import forget_responses, postgres, source
from promptsales.orchestration.feed import WAREHOUSE, feed_group
from promptsales.printable import logger
from promptsales.reconcile.settle import Reconciliation, reconcile
from promptsales.settings import settings
from promptsales.specs.feed import Contract, contract
from promptsales.specs.stream import StreamContract, stream_contracts

# resolved to a table's asset only when rows were soft-deleted in it
DELETED = AssetAlias("core.deleted")

log = logger(__name__)


def reconcile_group(feed: Contract) -> None:
    """Add the tasks that compare one feed and then load it; the load is skipped when no row has to be read again."""
    compared = compare.override(task_id=f"{feed.table}_compare", pool=feed.source.system)(feed.table)
    loads = feed_group(feed)
    for first in loads.get_roots():
        # feed_group uses ALL_DONE; here a failed comparison must not be followed by a load
        first.trigger_rule = TriggerRule.ALL_SUCCESS
    compared >> loads


def reconcile_streamed(contract: StreamContract) -> None:
    """Add the task that compares and repairs one streamed table; the next hourly audit checks the repaired rows."""
    compare_streamed.override(task_id=f"{contract.table}_compare")(contract.table)


@task(pool=WAREHOUSE)
def compare_streamed(table: str) -> None:
    """Compare every key of a streamed table with its source, and repair the rows that differ."""
    from promptsales.reconcile.streamed import reconcile as reconcile_table

    run, spec = get_current_context()["dag_run"], stream_contracts()[table]
    with postgres(f"{spec.source.system}_audit") as source, postgres(WAREHOUSE) as warehouse:
        result = reconcile_table(settings(), spec, source, warehouse, f"airflow:{run.dag_id}/{run.run_id}")
    if result is None:
        log.info("%s: the stream has not applied anything yet, so there is nothing to compare", table)
        return
    _log_result(result)
    if result.has_changed:
        forget_responses(f"{spec.layer}.{table}")


@task.short_circuit(outlets=[DELETED])
def compare(feed: str) -> bool:
    """Compare the feed with its source and soft-delete rows that are gone; return whether rows must be read again."""
    context = get_current_context()
    run, spec = context["dag_run"], contract(feed)
    with source(spec) as opened, postgres(WAREHOUSE) as warehouse:
        result = reconcile(spec, opened, warehouse, f"airflow:{run.dag_id}/{run.run_id}", settings().limits)
    if result is None:
        log.info("%s: the feed was never loaded, so there is nothing to compare", feed)
        return False
    _log_result(result)
    if result.silent:
        log.warning("%s: %d rows changed while their cursor did not move: see ops.reread", feed, result.silent)
    if result.deleted:
        forget_responses(f"core.{feed}")
        context["outlet_events"][DELETED].add(CORE[feed])
    return result.to_reread > 0


def _log_result(result: Reconciliation) -> None:
    log.info(
        "%s: %d rows at the source, %d in the warehouse; %d gone, %d missing, %d differ, %d pending",
        *(result.feed, result.source_rows, result.warehouse_rows, result.gone),
        *(result.missing, result.differing, result.pending),
    )
