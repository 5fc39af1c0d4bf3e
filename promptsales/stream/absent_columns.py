"""Columns that a contract names but the source no longer sends: renamed, dropped or not published.

Events then have no field for them, which is not the same as null. Existing rows keep their values, new rows go to
quarantine, and the table is marked in ``ops.stream_offset`` until an audit has compared it with the source.
"""

from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.errors import SourceRefused
from promptsales.specs.stream import StreamContract

_THERE = """
    select attname::text from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""
_PUBLISHED = """
    select unnest(attnames)::text from pg_publication_tables
    where pubname = %s and concat_ws('.', schemaname, tablename) = %s
"""
_MARKED = """
    select topic, sum(absent_events)::bigint as events,
           (select array_agg(distinct name order by name) from ops.stream_offset s, unnest(s.absent_columns) as name
            where s.topic = o.topic) as columns,
           date_trunc('second', max(absent_at)) as last_at
    from ops.stream_offset o where absent_at is not null group by topic order by topic
"""
_FORGET = """
    update ops.stream_offset set absent_events = 0, absent_columns = '{}', absent_at = null
    where topic = %s and absent_at < %s
"""
# suffix of the rule that a row breaks when a column was not sent and its value is unknown
NOT_SENT = "_not_sent"
HOW_TO_FIX = (
    "if the source renamed or dropped it, rename it back or remove it from the contract, then run "
    "`promptsales provision`; the next `stream_audit` reads what changed in the meantime"
)


class MarkedTopic(NamedTuple):
    """A topic whose events lacked columns since the last clean audit, summed over its partitions."""

    topic: str
    events: int
    columns: list[str]
    last_at: datetime


def refuse_missing_columns(source: psycopg.Connection, contract: StreamContract) -> None:
    """Check that the source has every column of a contract; without them rows cannot be compared or repaired.

    Raises:
        SourceRefused: when columns are missing; the message names them.
    """
    relation = contract.source.relation
    existing = {name for (name,) in source.execute(_THERE, [relation])}
    if missing := [name for name in contract.origins if name not in existing]:
        raise SourceRefused(
            f"table {contract.table}: {relation} has no column {', '.join(missing)}, which the contract names; "
            f"the audit compares nothing and the marts wait; {HOW_TO_FIX}"
        )


def read_unpublished_columns(source: psycopg.Connection, contract: StreamContract) -> list[str]:
    """Return the contract's columns that the publication of its table does not include."""
    published = {name for (name,) in source.execute(_PUBLISHED, [contract.source.system, contract.source.relation])}
    return [name for name in contract.origins if name not in published]


def read_marked_topics(warehouse: psycopg.Connection) -> list[MarkedTopic]:
    """Return the topics whose events lacked columns since the last clean audit."""
    with warehouse.cursor(row_factory=class_row(MarkedTopic)) as cursor:
        return cursor.execute(_MARKED).fetchall()


def remove_mark(warehouse: psycopg.Connection, contract: StreamContract, compared_at: datetime) -> None:
    """Remove the mark of a table after an audit that started at ``compared_at`` found it equal to its source."""
    warehouse.execute(_FORGET, [contract.topic, compared_at])
