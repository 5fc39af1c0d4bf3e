"""The books of the stream's audits: when one is due or in vain, and what it found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from promptsales.errors import BatchBlocked, TerminalError
from promptsales.feeds.state import statement
from promptsales.specs.stream import StreamContract
from promptsales.stream import absent_columns
from promptsales.stream.publications import refuse_unpublished_operations

if TYPE_CHECKING:
    from promptsales.stream.audit import Audited

# of many keys a message names so many
_NAMED = 20
_PUBLISHED = """
    select from pg_publication_tables where pubname = %s and concat_ws('.', schemaname, tablename) = %s
"""
_LAST = "select max(compared_at) from ops.reconciliation where feed = %s and not is_whole"
# an event was applied, or a row brought in by hand or by a repair
_HAS_CHANGED = sql.SQL("""
    select exists (select from ops.stream_offset where topic = %(topic)s and applied_at > %(since)s)
        or exists (select from {table} where _loaded_at > %(since)s)
""")


def refuse_unpublished(source: psycopg.Connection, contract: StreamContract) -> None:
    """See that a table is still in the publication: a `drop .. cascade` takes it out, and nobody else says so.

    Raises:
        TerminalError: when it is not, or when not every operation is published.
    """
    refuse_unpublished_operations(source, contract.source.system)
    relation, publication = contract.source.relation, contract.source.system
    if source.execute(_PUBLISHED, [publication, relation]).fetchone() is None:
        raise TerminalError(
            f"{contract.table}: {relation} is not in publication {publication} any more, so nothing of it comes; run "
            f"`promptsales provision`, then `promptsales connectors snapshot {publication}`"
        )


def has_changed(warehouse: psycopg.Connection, contract: StreamContract) -> bool:
    """Whether anything has come since a table was last audited, and found well."""
    values = {"topic": contract.topic, "since": _last(warehouse, contract) or "-infinity"}
    return warehouse.execute(changed(contract), values).fetchone() == (True,)


def changed(contract: StreamContract) -> sql.Composed:
    """Compose whether anything of a table has come since a time."""
    return _HAS_CHANGED.format(table=sql.Identifier(contract.layer, contract.table))


def _last(warehouse: psycopg.Connection, contract: StreamContract) -> datetime | None:
    row = warehouse.execute(_LAST, [contract.table]).fetchone()
    return row[0] if row else None


def since(warehouse: psycopg.Connection, contract: StreamContract, now: datetime, back: timedelta) -> datetime:
    """From when on loaded rows are to be judged: ``back`` before now, or before the last audit that found all well."""
    return min(now, _last(warehouse, contract) or now) - back


def refuse_left(contract: StreamContract, left: Sequence[str]) -> None:
    """See that every row is as the source has it, or in quarantine.

    Raises:
        BatchBlocked: naming the keys of rows that are not.
    """
    if left:
        raise BatchBlocked(
            f"{contract.table}: {len(left)} rows are not as the source has them, and their repair had no effect: "
            f"{some(left)}; the marts wait"
        )


def some(keys: Sequence[str]) -> str:
    """The first of many keys, for a message."""
    return ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")


def record(
    warehouse: psycopg.Connection, contract: StreamContract, found: "Audited", triggered_by: str, at: datetime
) -> None:
    """Append what an audit found to ``ops.reconciliation``; its buckets are the hours. A mark of the table is gone."""
    values = {
        "feed": contract.table,
        "complete_through": found.complete_through,
        "source_rows": found.source_rows,
        "warehouse_rows": found.warehouse_rows,
        "buckets": found.hours,
        "unequal_buckets": found.unequal_hours,
        "gone": found.gone,
        "deleted": found.gone,
        "missing": found.missing,
        "differing": found.differing,
        "silent": 0,
        "pending": 0,
        "extraction": None,
        "is_whole": False,
        "triggered_by": triggered_by,
        "compared_at": at,
    }
    with warehouse.transaction():
        warehouse.execute(statement("record_reconciliation"), values)
        absent_columns.forget(warehouse, contract, at)
