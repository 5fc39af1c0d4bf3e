"""Detect new columns at a source; loads ignore them, `doctor` and alerts report them."""

from pathlib import Path

import psycopg
from psycopg.rows import tuple_row

from promptsales.specs.feed import Contract

_COLUMNS = Path(__file__).with_name("columns.sql").read_bytes()


def read_relation_types(contract: Contract, source: psycopg.Connection) -> dict[str, str]:
    """Return the columns of a feed's relation, in order, with their types; this needs no right to read the relation."""
    with source.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(_COLUMNS, [contract.source.relation]).fetchall())


def find_new_columns(contract: Contract, source: psycopg.Connection) -> list[str]:
    """Return the columns of the source that the contract neither reads nor lists as unread."""
    known = {column.origin for column in contract.columns} | set(contract.unread)
    return [name for name in read_relation_types(contract, source) if name not in known]
