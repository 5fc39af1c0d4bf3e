"""The tasks that look after the stream: audit, health, rebuild.

Great Expectations and the stream's own code are imported inside the tasks.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from promptsales.errors import BatchBlocked, TerminalError, TransientError
from promptsales.orchestration.connections import bootstrap_servers, forget_responses, postgres
from promptsales.orchestration.feed import WAREHOUSE
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.stream import Connector, StreamContract, stream_contracts

if TYPE_CHECKING:
    from promptsales.stream.audit import AuditResult

# an hour and what may have been missed before it; from the last audit, where that is longer ago
BACK = timedelta(hours=3)

log = logger(__name__)


@task(pool=WAREHOUSE)
def audit(table: str) -> None:
    """Compare a streamed table's last hours with its source, repair what differs, run its whole suite over them.

    Where nothing has changed since the last audit it is skipped then: no asset event is sent, no mart built.
    """
    from promptsales.stream.audit_books import has_changed, record, refuse_unpublished

    context = get_current_context()
    run, contract, now = context["dag_run"], stream_contracts()[table], datetime.now(UTC)
    with postgres(f"{contract.source.system}_cdc") as source, postgres(WAREHOUSE) as warehouse:
        refuse_unpublished(source, contract)
        # to be compared all the same: where every event is lost, nothing has come either
        is_new = has_changed(warehouse, contract)
        found = _compared(contract, source, warehouse)
        is_new = is_new or found.repaired > 0 or found.freed > 0
        if is_new:
            _judge(contract, warehouse, now)
        record(warehouse, contract, found, f"airflow:{run.dag_id}/{run.run_id}", now)
    if not is_new:
        raise AirflowSkipException(f"{table}: nothing has come since the last audit, and nothing differs")
    forget_responses(f"{contract.layer}.{table}")


def _compared(contract: StreamContract, source: psycopg.Connection, warehouse: psycopg.Connection) -> "AuditResult":
    from promptsales.stream import audit as stream
    from promptsales.stream.audit_books import format_keys, refuse_unrepaired
    from promptsales.stream.recount import rebuild as count_anew

    found = stream.audit(settings(), contract, source, warehouse, BACK)
    level = logging.WARNING if found.repaired else logging.INFO
    log.log(
        level, "%s: %d rows at the source, %d in the warehouse; repaired: %d gone, %d missing, %d differing",
        contract.table, found.source_rows, found.warehouse_rows, found.gone, found.missing, found.differing,
    )  # fmt: skip
    if found.set_aside:
        keys = format_keys([f"{key} ({rule})" for key, rule in found.set_aside])
        log.warning("%s: in quarantine, as the table cannot hold them: %s", contract.table, keys)
    if found.repaired:
        # what was wrong in core by itself never moved a minute
        count_anew(warehouse, settings().stream_minutes_days)
    refuse_unrepaired(contract, found.left)
    return found


def _judge(contract: StreamContract, warehouse: psycopg.Connection, now: datetime) -> None:
    """Run the whole suite over what was loaded in the hours that are audited."""
    from promptsales.quality.tables import audit_streamed
    from promptsales.stream.audit_books import compute_since

    began = compute_since(warehouse, contract, now, BACK)
    verdicts = audit_streamed(contract, warehouse, datetime.now(UTC), began)
    if failed := [one.expectation.meta.rule for one in verdicts if one.result == "failed"]:
        raise BatchBlocked(
            f"{contract.table} breaks {', '.join(failed)}: the marts wait; ops.check_result has the counts"
        )


@task
def health(connector: Connector) -> None:
    """Note how far a connector is behind; fail, and say in which hop, when its tables are not complete lately."""
    from promptsales.bus import topics
    from promptsales.monitoring.freshness import freshness
    from promptsales.stream import gaps as stream_gaps
    from promptsales.stream import lag as stream_lag

    client = topics.admin(bootstrap_servers("kafka"))
    with postgres(f"{connector}_cdc") as source, postgres(WAREHOUSE) as warehouse:
        slot = stream_lag.read_slot(source, connector)
        lag = stream_lag.measure_lag(warehouse, client, connector, slot)
        stream_lag.record(warehouse, lag, slot)
        names = {contract.table for contract in stream_contracts().values() if contract.source.system == connector}
        late = [one for one in freshness(warehouse) if one.feed in names and one.state in ("stale", "never loaded")]
        gaps = stream_gaps.find_open(client, warehouse, connector)
    if gaps:
        raise TerminalError(f"{connector}: {'; '.join(map(str, gaps[:3]))}; {stream_gaps.describe_fix(connector)}")
    where = (
        f"slot {'missing' if slot is None else f'{slot.wal_status}, {slot.behind_bytes} bytes behind'}; "
        f"{lag.events} events wait on the bus; last commit applied {lag.source_at}"
    )
    if slot is None or slot.is_losing or late:
        limit = min((str(one.contract.stale_after) for one in late), default="?")
        raise TransientError(
            f"{connector}: complete through {min((str(one.complete_through) for one in late), default='?')}, "
            f"more than {limit} ago, or its slot is lost: {where}; `promptsales doctor` says what to do"
        )
    log.info("%s: %s", connector, where)


@task(pool=WAREHOUSE)
def rebuild() -> dict[str, int]:
    """Count minutes, days and totals anew from core, mend those that differ, let go of minutes past their time."""
    from promptsales.stream.recount import rebuild as count_anew

    with postgres(WAREHOUSE) as warehouse:
        found = count_anew(warehouse, settings().stream_minutes_days)
    level = logging.WARNING if found.corrected else logging.INFO
    log.log(level, "corrected: %d minutes, %d days, %d totals; %d old minutes dropped", *found)
    return found._asdict()
