"""Which operations a source publishes: one that it does not comes in no event, and nobody else says so."""

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
    """See that a connector's publication publishes every operation.

    Raises:
        TerminalError: naming those that it does not.
    """
    if operations := [name for (name,) in source.execute(_UNPUBLISHED, [connector])]:
        raise TerminalError(
            f"publication {connector} does not publish {', '.join(operations)}, so the source's changes of that kind "
            "are lost; run `promptsales provision`, then `promptsales reconcile` with the tables that it names"
        )
