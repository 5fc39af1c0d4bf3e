"""The side of a source that cannot compute digests: its rows are copied into staging, compared and rolled back.

MongoDB cannot hash with the pipeline's key or write values as PostgreSQL does, and a PostgreSQL without hashing views
cannot hash. So the rows are read as in a load, without Kafka, into the feed's staging table. This runs in the
transaction of the warehouse's snapshot, which is rolled back: no other session sees the rows, and a load of the feed
waits for the end of the comparison before it stages.
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

# no extraction has this number, and rows with it are never committed
STAGED = 0


class StagingReader(Protocol):
    """A reader that can copy all rows of its source into staging."""

    def stage_all(self, warehouse: psycopg.Connection, load_id: int) -> None:
        """Copy every row into staging, in the caller's transaction."""

    def find_changed_keys(self, token: str | None) -> set[str] | None:
        """Return exactly the keys that the next load reads by a change stream; None if the cursor selects the rows."""

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Return which of these keys the source has."""


class StagedOriginal:
    """A collection of the document database, or a relation that the pipeline hashes."""

    is_staged = True

    def __init__(self, contract: Contract, reader: StagingReader) -> None:
        self.contract = contract
        self.reader = reader

    @contextmanager
    def open_side(self, warehouse: psycopg.Connection, resume_token: str | None) -> Iterator[Side]:
        """Return every row as a load stages it."""
        warehouse.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        self.reader.stage_all(warehouse, STAGED)
        suppression.suppress(self.contract, warehouse)
        # after the read, so that rows written during it are pending too
        pending = self.reader.find_changed_keys(resume_token)
        rows = statements.select_staged_rows(self.contract, STAGED)
        yield Side(warehouse, rows, sorted(pending or ()), is_exact=pending is not None)

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Return which of these keys the source has."""
        return self.reader.find_existing(keys)
