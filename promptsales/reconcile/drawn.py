"""The side of a source that cannot compare: its rows are drawn into staging, compared there, and taken back.

MongoDB can neither hash with our key nor write a value as PostgreSQL does; and where a PostgreSQL takes no view,
nothing there hashes. So the rows take the way of a load, but for Kafka, into the feed's staging table, in the
transaction of the warehouse's snapshot, which is rolled back: no other session sees them, and a load that wants to
stage waits until the comparison is done.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import psycopg
from psycopg import sql

from promptsales.erasure import suppression
from promptsales.load.steps import LOCK_TIMEOUT
from promptsales.reconcile import statements
from promptsales.reconcile.original import Side
from promptsales.specs.feed import Contract

# the number of no extraction: what lies in staging under it is never committed
DRAWN = 0


class Drawable(Protocol):
    """A reader that can put all its source has into staging."""

    def draw(self, warehouse: psycopg.Connection, load_id: int) -> None:
        """Put every row there, in the caller's transaction."""

    def find_changed_keys(self, token: str | None) -> set[str] | None:
        """Exactly which keys the next load reads anyway, by a change stream; None where only the cursor tells."""

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Which of some keys the source has."""


class Drawn:
    """A collection of the document database, or a relation that is hashed here."""

    is_drawn = True

    def __init__(self, contract: Contract, reader: Drawable) -> None:
        self.contract = contract
        self.reader = reader

    @contextmanager
    def side(self, warehouse: psycopg.Connection, resume_token: str | None) -> Iterator[Side]:
        """Every row, as a load would stage it."""
        warehouse.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        self.reader.draw(warehouse, DRAWN)
        suppression.suppress(self.contract, warehouse)
        # only now: what was written while rows were read is pending too
        pending = self.reader.find_changed_keys(resume_token)
        rows = statements.drawn_rows(self.contract, DRAWN)
        yield Side(warehouse, rows, sorted(pending or ()), is_exact=pending is not None)

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Asked of the source."""
        return self.reader.find_existing(keys)
