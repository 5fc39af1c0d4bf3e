"""The source's side of a comparison: a hashing view that is queried, or rows that are copied into staging."""

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
    """The rows of a source: the connection and query that return them, and the keys to exclude on both sides.

    If the excluded keys are exactly the rows that the next load changes (``is_exact``), both sides have equal totals.
    """

    connection: psycopg.Connection
    rows: sql.Composed
    pending: list[str]
    is_exact: bool


class Original(Protocol):
    """The source of a comparison."""

    is_staged: bool

    def open_side(self, warehouse: psycopg.Connection, resume_token: str | None) -> AbstractContextManager[Side]:
        """Return the current rows of the source; call it after the warehouse's snapshot was taken.

        Args:
            warehouse: a connection in that snapshot.
            resume_token: where the change stream resumes after the last load in the snapshot.
        """

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Return which of these keys the source has."""


class ViewOriginal:
    """A hashing view, of which the source's server computes the digests."""

    is_staged = False

    def __init__(self, contract: Contract, source: psycopg.Connection) -> None:
        source.autocommit = True
        self.contract = contract
        self.source = source

    @contextmanager
    def open_side(self, warehouse: psycopg.Connection, resume_token: str | None) -> Iterator[Side]:
        """Return the rows of the view in one snapshot; their cursors tell which are pending."""
        with snapshot(self.source, read_only=True):
            yield Side(self.source, statements.select_source_rows(self.contract), [], is_exact=False)

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Return which of these keys the view has."""
        with snapshot(self.source, read_only=True):
            rows = self.source.execute(statements.select_existing(self.contract), {"keys": list(keys)})
            return {key for (key,) in rows}


def make_original(contract: Contract, source: Source) -> Original:
    """Return the source's side of a feed's comparison.

    Raises:
        ConfigError: when the feed cannot be compared.
    """
    if not is_comparable(contract):
        raise ConfigError(
            f"feed {contract.table} cannot be compared: it has no column deleted_at to mark rows that are gone; add it "
            "at the source and in the contract"
        )
    if isinstance(source, psycopg.Connection):
        return ViewOriginal(contract, source)
    from promptsales.reconcile.drawn import StagedOriginal, StagingReader

    # the other two readers implement StagingReader
    return StagedOriginal(contract, cast(StagingReader, make_reader(contract, source)))


def is_comparable(contract: Contract) -> bool:
    """Return whether a feed can be compared, which needs a column to soft-delete rows."""
    return "deleted_at" in contract.column_names
