"""Row level security at a source: what a reader may not see is an error, never an empty answer."""

import psycopg
from psycopg import sql

from promptsales.errors import SourceRefused
from promptsales.names import relation

# PostgreSQL then refuses a query whose rows a policy would filter; for the transaction, so that any pool may be between
UNFILTERED = b"set local row_security = off"


def refuse_hidden_rows(what: str, source: psycopg.Connection, name: str, role: str) -> None:
    """Ask PostgreSQL, by a query for no row, whether a reader sees all rows of a relation.

    Args:
        what: what is read, for the message: ``feed leads``.
        source: a connection of the reader.
        name: of a view or a table, with its schema.
        role: whose rights count there: of a view its owner's.

    Raises:
        SourceRefused: when it does not, or may not read it at all.
    """
    try:
        with source.transaction():
            source.execute(UNFILTERED)
            source.execute(sql.SQL("select from {} where false").format(relation(name)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise SourceRefused(
            f"{what}: {role} may not read all rows of {name} ({error.diag.message_primary}); hidden rows would be "
            f"taken for deleted or never arrive; where row level security is meant for other roles, run "
            f"`alter role {role} bypassrls` at the source, where a right is missing, `promptsales provision`"
        ) from None


def refuse_hidden_table(table: str, name: str, source: psycopg.Connection) -> None:
    """Ask PostgreSQL whether Debezium's role, which reads snapshots and audits, sees all rows of a streamed table.

    Args:
        table: its name in the warehouse, for the message.
        name: its name at the source, with its schema.
        source: a connection of that role.

    Raises:
        SourceRefused: when a policy hides some from it.
    """
    refuse_hidden_rows(f"table {table}", source, name, source.info.user)
