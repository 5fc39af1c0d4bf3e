"""New columns at a source: ignored by every load, and told to people."""

from pathlib import Path

import psycopg
from psycopg.rows import tuple_row

from promptsales.specs.feed import Contract

_COLUMNS = Path(__file__).with_name("columns.sql").read_bytes()


def relation_types(contract: Contract, source: psycopg.Connection) -> dict[str, str]:
    """Columns of a feed's relation, in order, and their types; the catalogue shows them to a role that may not read."""
    with source.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(_COLUMNS, [contract.source.relation]).fetchall())


def new_columns(contract: Contract, source: psycopg.Connection) -> list[str]:
    """Columns of the source that the contract neither reads nor lists as unread."""
    known = {column.origin for column in contract.columns} | set(contract.unread)
    return [name for name in relation_types(contract, source) if name not in known]
