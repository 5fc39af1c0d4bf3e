"""The interface of the three readers: a hashing view, a relation hashed by the pipeline, a collection through Kafka.

The steps of a load (``promptsales/load/steps.py``) are the same for all of them.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

import psycopg

from promptsales.feeds.models import FeedProgress, Window
from promptsales.feeds.state import FeedState
from promptsales.hashing.keys import CheckedKey


class ReadRequest(NamedTuple):
    """Which rows a load reads: those of a window, or the new rows and the quarantined keys that are due for a retry.

    New rows are those changed at or after the watermark (all rows if there is none), or after the token of a change
    stream.
    """

    extraction: int
    window: Window | None
    watermark: datetime | None
    retries: Sequence[str] = ()
    resume_token: str | None = None


class Copied(NamedTuple):
    """How many rows a reader put into staging, the latest of each key.

    ``gone`` of them were removed at once: they are deletes of rows that core never held.
    """

    rows: int
    gone: int = 0


class Reader(Protocol):
    """An extraction of a feed. The methods are called in the order in which they are listed."""

    @property
    def is_own_clock(self) -> bool:
        """Whether `read_clock` returned a running clock rather than the position of a standby or a change stream."""

    def read_clock(self) -> datetime:
        """Read how far a read that begins now will be complete, and return the source's clock.

        Raises:
            SourceRefused: when the source does not show that.
        """

    def snapshot(self) -> AbstractContextManager[object]:
        """Return a context in which all reads see one state of the source."""

    def read_key(self) -> CheckedKey | None:
        """Return the number and check value of the key the rows are hashed with; None for a feed that hashes nothing.

        Raises:
            SourceRefused: when there is no key, which would make every hash null.
        """

    def refuse_drift(self) -> None:
        """Check that the source has the columns of the contract in their types.

        Raises:
            SourceRefused: naming each column that is missing or of another type.
        """

    def count(self, request: ReadRequest) -> int:
        """Return how many rows a load would read; called by a dry run instead of `copy_into`."""

    def copy_into(self, warehouse: psycopg.Connection, request: ReadRequest) -> Copied:
        """Copy the rows into the feed's staging table, in the caller's transaction."""

    def compute_progress(self, feed_state: FeedState, window: Window | None, key: CheckedKey | None) -> FeedProgress:
        """Return the state of the feed once the rows are published; a replayed window moves no watermark."""
