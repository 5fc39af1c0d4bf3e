"""The tasks that compare a feed with its source, and load what was found wrong."""

from airflow.sdk import AssetAlias, TriggerRule, get_current_context, task

from promptsales.orchestration.assets import CORE
from promptsales.orchestration.connections import forget_responses, postgres, source
from promptsales.orchestration.feed import WAREHOUSE, feed_group
from promptsales.printable import logger
from promptsales.reconcile.settle import Reconciliation, reconcile
from promptsales.settings import settings
from promptsales.specs.feed import Contract, contract
from promptsales.specs.stream import StreamContract, stream_contracts

# stands for the assets of the tables in which rows were soft-deleted: no event where there were none
DELETED = AssetAlias("core.deleted")

log = logger(__name__)


def reconcile_group(feed: Contract) -> None:
    """Compare one feed; the tasks that load it follow, and are skipped where nothing is wrong."""
    compared = compare.override(task_id=f"{feed.table}_compare", pool=feed.source.system)(feed.table)
    loads = feed_group(feed)
    for first in loads.get_roots():
        # in the hourly DAGs a feed may load whatever became of those before it; here a refusal must stay in sight
        first.trigger_rule = TriggerRule.ALL_SUCCESS
    compared >> loads


def reconcile_streamed(contract: StreamContract) -> None:
    """Compare one streamed table and repair it; the hourly audit then judges what changed, and sends the asset."""
    compare_streamed.override(task_id=f"{contract.table}_compare")(contract.table)


@task(pool=WAREHOUSE)
def compare_streamed(table: str) -> None:
    """Compare every key of a streamed table with its source, and repair what differs.

    The stream's own code is imported here.
    """
    from promptsales.reconcile.streamed import reconcile as reconcile_table

    run, found = get_current_context()["dag_run"], stream_contracts()[table]
    with postgres(f"{found.source.system}_cdc") as source, postgres(WAREHOUSE) as warehouse:
        result = reconcile_table(settings(), found, source, warehouse, f"airflow:{run.dag_id}/{run.run_id}")
    if result is None:
        log.info("%s: nothing was ever applied, nothing to compare", table)
        return
    _tell(result)
    if result.has_changed:
        forget_responses(f"{found.layer}.{table}")


@task.short_circuit(outlets=[DELETED])
def compare(feed: str) -> bool:
    """Compare the feed with its source, and soft-delete what is gone; whether rows are to be loaded again."""
    context = get_current_context()
    run, found = context["dag_run"], contract(feed)
    with source(found) as opened, postgres(WAREHOUSE) as warehouse:
        result = reconcile(found, opened, warehouse, f"airflow:{run.dag_id}/{run.run_id}", settings().limits)
    if result is None:
        log.info("%s: never loaded, nothing to compare", feed)
        return False
    _tell(result)
    if result.silent:
        log.warning("%s: %d rows changed without moving their cursor: see ops.reread", feed, result.silent)
    if result.deleted:
        forget_responses(f"core.{feed}")
        context["outlet_events"][DELETED].add(CORE[feed])
    return result.to_reread > 0


def _tell(result: Reconciliation) -> None:
    log.info(
        "%s: %d rows at the source, %d in the warehouse; %d gone, %d missing, %d differ, %d pending",
        *(result.feed, result.source_rows, result.warehouse_rows, result.gone),
        *(result.missing, result.differing, result.pending),
    )
