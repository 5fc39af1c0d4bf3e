"""Detect row level security at a source: hidden rows are an error, never an empty result."""

import psycopg
from psycopg import sql

from promptsales.errors import SourceRefused
from promptsales.names import relation

# PostgreSQL then refuses a query whose rows a policy would filter; `local`, because a pooler may share the session
UNFILTERED = b"set local row_security = off"


def refuse_hidden_rows(what: str, source: psycopg.Connection, name: str, role: str) -> None:
    """Check with a query that returns no row that a reader sees all rows of a relation.

    Args:
        what: what is read, for the message: ``feed leads``.
        source: a connection of the reader.
        name: the view or table, with its schema.
        role: the role whose rights apply: for a view its owner, for the message.

    Raises:
        SourceRefused: when a policy hides rows, or the role may not read the relation.
    """
    try:
        with source.transaction():
            source.execute(UNFILTERED)
            source.execute(sql.SQL("select from {} where false").format(relation(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise SourceRefused(
            f"{what}: {role} may not read all rows of {name} ({error.diag.message_primary}); hidden rows would look "
            f"deleted or never arrive; if row level security is the reason, run `alter role {role} bypassrls` at the "
            "source; if a right is missing, run `promptsales provision`"
        ) from None


def refuse_hidden_table(table: str, name: str, source: psycopg.Connection) -> None:
    """Check that Debezium's role, or that of the audits, sees all rows of a streamed table.

    Args:
        table: the table's name in the warehouse, for the message.
        name: the table's name at the source, with its schema.
        source: a connection of that role.

    Raises:
        SourceRefused: when a policy hides rows from the role.
    """
    refuse_hidden_rows(f"table {table}", source, name, source.info.user)
