"""The source's side of a comparison: a hashing view asked in SQL, or rows that are drawn for it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol, cast

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.extract.sources import Source, make_reader
from promptsales.reconcile import statements
from promptsales.reconcile.snapshot import snapshot
from promptsales.specs.feed import Contract


class Side(NamedTuple):
    """Rows that can be compared: where they are asked for and how, and the keys that are left out on both sides.

    Where those are exactly the rows that the next load changes, the totals of both sides must agree.
    """

    connection: psycopg.Connection
    rows: sql.Composed
    pending: list[str]
    is_exact: bool


class Original(Protocol):
    """The source of one comparison."""

    is_drawn: bool

    def side(self, warehouse: psycopg.Connection, resume_token: str | None) -> AbstractContextManager[Side]:
        """The source's rows as they are now, which is after the warehouse's snapshot was taken.

        Args:
            warehouse: within that snapshot.
            resume_token: where the change stream goes on after the last load that the snapshot has.
        """

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Which of some keys the source has."""


class Viewed:
    """A hashing view: its own server computes the digests."""

    is_drawn = False

    def __init__(self, contract: Contract, source: psycopg.Connection) -> None:
        source.autocommit = True
        self.contract = contract
        self.source = source

    @contextmanager
    def side(self, warehouse: psycopg.Connection, resume_token: str | None) -> Iterator[Side]:
        """The view, in one snapshot; which of its rows are pending tells their cursor."""
        with snapshot(self.source, read_only=True):
            yield Side(self.source, statements.source_rows(self.contract), [], is_exact=False)

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Asked of the view."""
        with snapshot(self.source, read_only=True):
            found = self.source.execute(statements.find_existing(self.contract), {"keys": list(keys)})
            return {key for (key,) in found}


def original_of(contract: Contract, source: Source) -> Original:
    """The source's side for a feed.

    Raises:
        ConfigError: when the feed cannot be compared.
    """
    if not is_comparable(contract):
        raise ConfigError(
            f"feed {contract.table} cannot be compared: it has no column deleted_at, which says that a row is gone"
        )
    if isinstance(source, psycopg.Connection):
        return Viewed(contract, source)
    from promptsales.reconcile.drawn import Drawable, Drawn

    # every reader but a view's can draw
    return Drawn(contract, cast(Drawable, make_reader(contract, source)))


def is_comparable(contract: Contract) -> bool:
    """Whether the source can be compared: only where rows can be soft-deleted."""
    return "deleted_at" in contract.column_names
