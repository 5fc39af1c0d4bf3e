"""The tasks that audit the stream, check its lag, and recount its live figures.

Great Expectations and the stream's code are imported inside the tasks.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from promptsales.errors import BatchBlocked, TerminalError, TransientError
from promptsales.orchestration.assets import CORE, describe_event
from promptsales.orchestration.connections import forget_responses, kafka_address, postgres
from promptsales.orchestration.feed import WAREHOUSE
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.stream import Connector, StreamContract, stream_contracts

if TYPE_CHECKING:
    from promptsales.monitoring.freshness import Freshness
    from promptsales.stream.audit import AuditResult
    from promptsales.stream.lag import Slot

# an audit covers at least this long, or everything since the last successful audit if that is longer ago
BACK = timedelta(hours=3)

log = logger(__name__)


@task(pool=WAREHOUSE)
def audit(table: str) -> None:
    """Compare a streamed table's last hours with its source, repair rows that differ, and run its suite over them.

    When nothing changed since the last audit the task ends as skipped, so no asset event is sent and no mart is built.
    """
    from promptsales.stream.audit_books import has_changed, record, refuse_unpublished

    context = get_current_context()
    run, contract, now = context["dag_run"], stream_contracts()[table], datetime.now(UTC)
    with postgres(f"{contract.source.system}_audit") as source, postgres(WAREHOUSE) as warehouse:
        refuse_unpublished(source, contract)
        # compare even if nothing arrived: that is also how a loss of every event looks
        is_new = has_changed(warehouse, contract)
        audited = _compare(contract, source, warehouse)
        is_new = is_new or audited.repaired > 0 or audited.freed > 0
        if is_new:
            _check_suite(contract, warehouse, now)
        record(warehouse, contract, audited, f"airflow:{run.dag_id}/{run.run_id}", now)
    if not is_new:
        raise AirflowSkipException(f"{table}: no events since the last audit, and no row differs")
    forget_responses(f"{contract.layer}.{table}")
    if table in CORE:
        extra = describe_event(f"core.{table}", audited.warehouse_rows, audited.complete_through)
        context["outlet_events"][CORE[table]].extra = extra


def _compare(contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection) -> "AuditResult":
    from promptsales.stream import audit as stream_audit
    from promptsales.stream.audit_books import format_keys, refuse_unrepaired
    from promptsales.stream.recount import rebuild as recount

    audited = stream_audit.audit(settings(), contract, source, warehouse, BACK)
    level = logging.WARNING if audited.repaired else logging.INFO
    log.log(
        level, "%s: %d rows at the source, %d in the warehouse; repaired: %d gone, %d missing, %d differing",
        contract.table, audited.source_rows, audited.warehouse_rows, audited.gone, audited.missing, audited.differing,
    )  # fmt: skip
    if audited.set_aside:
        keys = format_keys([f"{key} ({rule})" for key, rule in audited.set_aside])
        log.warning("%s: rows that the table cannot hold were put in quarantine: %s", contract.table, keys)
    if audited.repaired:
        # live figures move with events, and a row that was wrong only in core had none
        recount(warehouse, settings().stream_minutes_days)
    refuse_unrepaired(contract, audited.left)
    return audited


def _check_suite(contract: StreamContract, warehouse: psycopg.Connection, now: datetime) -> None:
    """Run the table's suite over the rows that were loaded in the audited hours."""
    from promptsales.quality.tables import audit_streamed
    from promptsales.stream.audit_books import compute_since

    began = compute_since(warehouse, contract, now, BACK)
    verdicts = audit_streamed(contract, warehouse, datetime.now(UTC), began)
    if failed := [verdict.expectation.meta.rule for verdict in verdicts if verdict.result == "failed"]:
        raise BatchBlocked(
            f"{contract.table} violates {', '.join(failed)}, so its marts are not rebuilt; see ops.check_result for "
            "the counts, then fix the rows at the source or the rule"
        )


@task
def check_health(connector: Connector) -> None:
    """Record how far a connector is behind; fail when events are missing, its slot is in danger, or tables are stale.

    Missing events (gaps) and a lost slot are terminal, because only a new snapshot repairs them. The message names the
    hop that is behind.
    """
    from promptsales.bus import topics
    from promptsales.monitoring.freshness import freshness
    from promptsales.stream import gaps as stream_gaps
    from promptsales.stream import lag as stream_lag

    client = topics.admin(kafka_address("kafka_stream"))
    with postgres(f"{connector}_audit") as source, postgres(WAREHOUSE) as warehouse:
        slot = stream_lag.read_slot(source, connector)
        lag = stream_lag.measure_lag(warehouse, client, connector, slot)
        stream_lag.record(warehouse, lag, slot)
        names = {contract.table for contract in stream_contracts().values() if contract.source.system == connector}
        late = [feed for feed in freshness(warehouse) if feed.feed in names and feed.state in ("stale", "never loaded")]
        gaps = stream_gaps.find_open(client, warehouse, connector)
    if gaps:
        raise TerminalError(f"{connector}: {'; '.join(map(str, gaps[:3]))}; {stream_gaps.describe_fix(connector)}")
    where = (
        f"slot {'missing' if slot is None else f'{slot.wal_status}, {slot.behind_bytes} bytes behind'}; "
        f"{lag.events} unread events on the bus; last commit applied {lag.source_at}"
    )
    if slot is not None and slot.is_lost:
        raise TerminalError(
            f"{connector}: its slot is lost, the source has removed log that was not read: {where}; "
            f"{stream_gaps.describe_fix(connector)}"
        )
    if problems := [*_describe_slot(slot), *map(_describe_late, late)]:
        raise TransientError(f"{connector}: {', '.join(problems)}: {where}; run `promptsales doctor`")
    log.info("%s: %s", connector, where)


def _describe_slot(slot: "Slot | None") -> Iterator[str]:
    if slot is None:
        yield "its slot does not exist"
    elif slot.is_losing:
        yield "its slot will be lost at the source's next checkpoint"


def _describe_late(feed: "Freshness") -> str:
    if feed.state == "never loaded":
        return f"{feed.feed} was never loaded"
    return f"{feed.feed} is complete through {feed.complete_through}, more than {feed.contract.stale_after} ago"


@task(pool=WAREHOUSE)
def rebuild() -> dict[str, int]:
    """Recount minutes, days and totals from core, correct those that differ, and delete expired minutes."""
    from promptsales.stream.recount import rebuild as recount

    with postgres(WAREHOUSE) as warehouse:
        result = recount(warehouse, settings().stream_minutes_days)
    level = logging.WARNING if result.corrected else logging.INFO
    log.log(level, "corrected: %d minutes, %d days, %d totals; deleted: %d expired minutes", *result)
    return result._asdict()
