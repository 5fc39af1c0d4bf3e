"""The books of the stream's audits: when one is due or in vain, and what it found."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from promptsales.errors import TerminalError
from promptsales.stream_contracts import StreamContract

if TYPE_CHECKING:
    from streams.audit import Audited

_RECORD = Path(__file__).parent / "reconcile" / "record.sql"
_PUBLISHED = """
    select from pg_publication_tables where pubname = %s and concat_ws('.', schemaname, tablename) = %s
"""
_HAS_CHANGED = """
    select coalesce(max(o.applied_at) > coalesce(
        (select max(compared_at) from ops.reconciliation where feed = %(feed)s), '-infinity'
    ), false)
    from ops.stream_offset o where o.topic = %(topic)s
"""


def refuse_unpublished(source: psycopg.Connection, contract: StreamContract) -> None:
    """See that a table is still in the publication: a `drop .. cascade` takes it out, and nobody else says so.

    Raises:
        TerminalError: when it is not.
    """
    relation, publication = contract.source.relation, contract.source.system
    if source.execute(_PUBLISHED, [publication, relation]).fetchone() is None:
        raise TerminalError(
            f"{contract.table}: {relation} is not in publication {publication} any more, so nothing of it comes; run "
            f"`promptsales provision`, then `promptsales connectors snapshot {publication}`"
        )


def has_changed(warehouse: psycopg.Connection, contract: StreamContract) -> bool:
    """Whether anything has come since a table was last audited."""
    values = {"feed": contract.table, "topic": contract.topic}
    return warehouse.execute(_HAS_CHANGED, values).fetchone() == (True,)


def record(
    warehouse: psycopg.Connection, contract: StreamContract, found: "Audited", triggered_by: str, at: datetime
) -> None:
    """Append what an audit found to ``ops.reconciliation``; its buckets are the hours."""
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
        "triggered_by": triggered_by,
        "compared_at": at,
    }
    warehouse.execute(_RECORD.read_bytes(), values)
