"""New columns at a source: ignored by every load, and told to people."""

import psycopg
from psycopg.rows import tuple_row

from promptsales.specs.feed import Contract

# by name in the catalogue: to resolve a relation as a table needs a right on its schema
_COLUMNS = """
    select a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""


def relation_types(contract: Contract, source: psycopg.Connection) -> dict[str, str]:
    """Columns of a feed's relation, in order, and their types; the catalogue shows them to a role that may not read."""
    with source.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(_COLUMNS, [contract.source.relation]).fetchall())


def new_columns(contract: Contract, source: psycopg.Connection) -> list[str]:
    """Columns of the source that the contract neither reads nor lists as unread."""
    known = {column.origin for column in contract.columns} | set(contract.unread)
    return [name for name in relation_types(contract, source) if name not in known]
