"""Columns that a contract names and the source does not send: renamed or dropped there, or not published.

An event then has no field for them. That is no null: rows keep the values they had, rows that are new wait in
quarantine, and the table is marked in ``ops.stream_offset`` until an audit has compared it with the source.
"""

from datetime import datetime
from typing import NamedTuple

import psycopg

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
    select topic, sum(absent_events),
           (select array_agg(distinct name order by name) from ops.stream_offset s, unnest(s.absent_columns) as name
            where s.topic = o.topic),
           date_trunc('second', max(absent_at))
    from ops.stream_offset o where absent_at is not null group by topic order by topic
"""
_FORGET = """
    update ops.stream_offset set absent_events = 0, absent_columns = '{}', absent_at = null
    where topic = %s and absent_at < %s
"""
# how the rule ends that a row breaks whose column was not sent, where nobody here knows its value
NOT_SENT = "_not_sent"
WAY_OUT = (
    "if the source renamed or dropped it, give it this name again or take it out of the contract; then run "
    "`promptsales provision`, and the next `stream_audit` reads what changed meanwhile"
)


class Marked(NamedTuple):
    """A topic whose events lack columns, as counted over its partitions since the last audit that found all well."""

    topic: str
    events: int
    columns: list[str]
    last_at: datetime


def refuse_gone(source: psycopg.Connection, contract: StreamContract) -> None:
    """See that the source has every column of a contract: without one of them nothing can be compared, or repaired.

    Raises:
        SourceRefused: naming those that are not there.
    """
    relation = contract.source.relation
    there = {name for (name,) in source.execute(_THERE, [relation])}
    if gone := [name for name in contract.origins if name not in there]:
        raise SourceRefused(
            f"table {contract.table}: {relation} has no column {', '.join(gone)}, which the contract names; nothing is "
            f"compared, and the marts wait; {WAY_OUT}"
        )


def unpublished(source: psycopg.Connection, contract: StreamContract) -> list[str]:
    """Return the columns of a contract that a publication of its table leaves out."""
    named = {name for (name,) in source.execute(_PUBLISHED, [contract.source.system, contract.source.relation])}
    return [name for name in contract.origins if name not in named]


def marked(warehouse: psycopg.Connection) -> list[Marked]:
    """Return the topics whose events lacked columns since the last audit that found all well."""
    return [Marked(*row) for row in warehouse.execute(_MARKED)]


def forget(warehouse: psycopg.Connection, contract: StreamContract, compared_at: datetime) -> None:
    """Take the mark of a table away that was compared, and is as the source has it."""
    warehouse.execute(_FORGET, [contract.topic, compared_at])
