"""The record of stream audits: whether one is due, and what it found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from promptsales.errors import BatchBlocked, TerminalError
from promptsales.feeds.state import statement
from promptsales.specs.stream import StreamContract
from promptsales.stream import absent_columns
from promptsales.stream.published_operations import refuse_unpublished_operations

if TYPE_CHECKING:
    from promptsales.stream.audit import AuditResult

# a message names at most this many keys
_NAMED = 20
_PUBLISHED = """
    select from pg_publication_tables where pubname = %s and concat_ws('.', schemaname, tablename) = %s
"""
_LAST = "select max(compared_at) from ops.reconciliation where feed = %s and not is_whole"
# true when an event was applied, or a row came in through a repair or a manual release
_HAS_CHANGED = sql.SQL("""
    select exists (select from ops.stream_offset where topic = %(topic)s and applied_at > %(since)s)
        or exists (select from {table} where _loaded_at > %(since)s)
""")


def refuse_unpublished(source: psycopg.Connection, contract: StreamContract) -> None:
    """Check that a table is still in its publication: `DROP ... CASCADE` removes it silently.

    Raises:
        TerminalError: when the table or one of its operations is not published.
    """
    refuse_unpublished_operations(source, contract.source.system)
    relation, publication = contract.source.relation, contract.source.system
    if source.execute(_PUBLISHED, [publication, relation]).fetchone() is None:
        raise TerminalError(
            f"{contract.table}: {relation} is not in publication {publication} any more, so its changes are lost; run "
            f"`promptsales provision`, then `promptsales connectors snapshot {publication}`"
        )


def has_changed(warehouse: psycopg.Connection, contract: StreamContract) -> bool:
    """Return True if any row has arrived since the table's last clean audit."""
    values = {"topic": contract.topic, "since": _read_last_audit(warehouse, contract) or "-infinity"}
    return warehouse.execute(compose_has_changed(contract), values).fetchone() == (True,)


def compose_has_changed(contract: StreamContract) -> sql.Composed:
    """Compose a query for whether any row of a table has arrived since a time."""
    return _HAS_CHANGED.format(table=sql.Identifier(contract.layer, contract.table))


def _read_last_audit(warehouse: psycopg.Connection, contract: StreamContract) -> datetime | None:
    row = warehouse.execute(_LAST, [contract.table]).fetchone()
    return row[0] if row else None


def compute_since(warehouse: psycopg.Connection, contract: StreamContract, now: datetime, back: timedelta) -> datetime:
    """Return the time from which loaded rows must be judged: ``back`` before the last clean audit, or before now."""
    return min(now, _read_last_audit(warehouse, contract) or now) - back


def refuse_unrepaired(contract: StreamContract, left: Sequence[str]) -> None:
    """Check that no row is left that differs from the source.

    Raises:
        BatchBlocked: when rows are left; the message names their keys.
    """
    if left:
        raise BatchBlocked(
            f"{contract.table}: {len(left)} rows differ from the source and their repair had no effect: "
            f"{format_keys(left)}; compare them with the source, the marts wait until then"
        )


def format_keys(keys: Sequence[str]) -> str:
    """Return the first keys of a list as text for a message."""
    return ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")


def record(
    warehouse: psycopg.Connection, contract: StreamContract, result: "AuditResult", triggered_by: str, at: datetime
) -> None:
    """Append an audit's result to ``ops.reconciliation`` (its buckets are hours), and remove the table's mark."""
    values = {
        "feed": contract.table,
        "complete_through": result.complete_through,
        "source_rows": result.source_rows,
        "warehouse_rows": result.warehouse_rows,
        "buckets": result.hours,
        "unequal_buckets": result.unequal_hours,
        "gone": result.gone,
        "deleted": result.gone,
        "missing": result.missing,
        "differing": result.differing,
        "silent": 0,
        "pending": 0,
        "extraction": None,
        "is_whole": False,
        "triggered_by": triggered_by,
        "compared_at": at,
    }
    with warehouse.transaction():
        warehouse.execute(statement("record_reconciliation"), values)
        absent_columns.remove_mark(warehouse, contract, at)
