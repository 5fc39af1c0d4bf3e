"""Detect new columns at a source; loads ignore them, `doctor` and alerts report them."""

import psycopg
from psycopg.rows import tuple_row

from promptsales.specs.feed import Contract

# by name, because to_regclass needs a right on the schema
_COLUMNS = """
    select a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""


def read_relation_types(contract: Contract, source: psycopg.Connection) -> dict[str, str]:
    """Return the columns of a feed's relation, in order, with their types; this needs no right to read the relation."""
    with source.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(_COLUMNS, [contract.source.relation]).fetchall())


def find_new_columns(contract: Contract, source: psycopg.Connection) -> list[str]:
    """Return the columns of the source that the contract neither reads nor lists as unread."""
    known = {column.origin for column in contract.columns} | set(contract.unread)
    return [name for name in read_relation_types(contract, source) if name not in known]
