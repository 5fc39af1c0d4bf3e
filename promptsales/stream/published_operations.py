"""Check which operations a source publishes: an unpublished one comes in no event and raises no error."""

import psycopg

from promptsales.errors import TerminalError
from promptsales.specs.stream import Connector

_UNPUBLISHED = """
    select operation from pg_publication cross join lateral (
        values (pubinsert, 'insert'), (pubupdate, 'update'), (pubdelete, 'delete'), (pubtruncate, 'truncate')
    ) as o(is_published, operation)
    where pubname = %s and not is_published
"""


def refuse_unpublished_operations(source: psycopg.Connection, connector: Connector) -> None:
    """Check that a connector's publication publishes every operation.

    Raises:
        TerminalError: when operations are missing; the message names them.
    """
    if operations := [name for (name,) in source.execute(_UNPUBLISHED, [connector])]:
        raise TerminalError(
            f"publication {connector} does not publish {', '.join(operations)}, so the source's changes of that kind "
            "are lost; run `promptsales provision`, then `promptsales reconcile` with the tables that it names"
        )
