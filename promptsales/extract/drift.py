"""New columns at a source: ignored by every load, and told to people."""

import psycopg
from psycopg.rows import tuple_row

from promptsales.contracts import Contract

# the catalogue is open to a reader that may not read the table
_COLUMNS = """
    select a.attname
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""


def source_columns(contract: Contract, source: psycopg.Connection) -> list[str]:
    """Every column of a feed's relation, read or not."""
    with source.cursor(row_factory=tuple_row) as cursor:
        return [name for (name,) in cursor.execute(_COLUMNS, [contract.source.relation])]


def new_columns(contract: Contract, source: psycopg.Connection) -> list[str]:
    """Columns of the source that the contract neither reads nor lists as unread."""
    known = {column.origin for column in contract.columns} | set(contract.unread)
    return [name for name in source_columns(contract, source) if name not in known]
