"""A collection's side of a comparison: its documents are drawn into staging, compared there, and taken back.

MongoDB can neither hash with our key nor write a value as PostgreSQL does. So the documents take the way of a load, but
for the topic, into the feed's staging table, in the transaction of the warehouse's snapshot, which is rolled back: no
other session sees them, and a load that wants to stage waits until the comparison is done.

Which keys the next load reads anyway is exact here: those in the change stream since the token of the last one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from promptsales.content.reader import Content, ContentReader
from promptsales.contracts import Contract
from promptsales.load import suppression
from promptsales.load.steps import LOCK_TIMEOUT
from promptsales.reconcile import statements
from promptsales.reconcile.original import Side

# the number of no extraction: what lies in staging under it is never committed
DRAWN = 0


class Collected:
    """A collection of the document database."""

    is_drawn = True

    def __init__(self, contract: Contract, source: Content) -> None:
        self.contract = contract
        self.reader = ContentReader(contract, source)

    @contextmanager
    def side(self, warehouse: psycopg.Connection, resume_token: str | None) -> Iterator[Side]:
        """Every document, as a load would stage it."""
        warehouse.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        self.reader.draw(warehouse, DRAWN)
        suppression.suppress(self.contract, warehouse)
        # only now: what was written while the documents were read is pending too
        pending = self.reader.changed_since(resume_token)
        yield Side(warehouse, statements.drawn_rows(self.contract, DRAWN), sorted(pending), is_exact=True)

    def still_there(self, keys: Sequence[str]) -> set[str]:
        """Asked of the collection."""
        return self.reader.still_there(keys)
