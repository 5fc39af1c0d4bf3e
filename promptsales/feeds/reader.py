"""The reading side of a load. There are three: a hashing view, a relation hashed here, a collection through Kafka.

Whatever reads, what comes after is the same (``promptsales/load/steps.py``).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

import psycopg

from promptsales.feeds.models import Progress, Window
from promptsales.feeds.state import Begun

CheckedKey = tuple[int, bytes]


class Wanted(NamedTuple):
    """Which rows a load reads: a window; else what is new, and the keys in quarantine that are to be tried again.

    New is what changed at or after the watermark, all where there is none; to a change stream, what follows its token.
    """

    extraction: int
    window: Window | None
    watermark: datetime | None
    retries: Sequence[str] = ()
    resume_token: str | None = None


class Copied(NamedTuple):
    """How many rows a reader put into staging, the latest of each key; ``gone`` of them left it again at once.

    Those are deletes of rows that core never held.
    """

    rows: int
    gone: int = 0


class Reader(Protocol):
    """One extraction of one feed. The methods are called in this order."""

    @property
    def is_own_clock(self) -> bool:
        """Whether what `look` returned is a clock that runs, not how far a standby or a change stream has come."""

    def look(self) -> datetime:
        """Ask the source how far a read that begins now will be complete; returns the source's clock.

        Raises:
            SourceRefused: when that cannot be known.
        """

    def snapshot(self) -> AbstractContextManager[object]:
        """What holds while rows are read."""

    def read_key(self) -> CheckedKey | None:
        """Number and check value of the key the rows are hashed with; None for a feed that hashes nothing.

        Raises:
            SourceRefused: when there is no key, which would make every hash null.
        """

    def refuse_drift(self) -> None:
        """See that the source has what the contract names.

        Raises:
            SourceRefused: naming each column that is gone or of another type.
        """

    def count(self, wanted: Wanted) -> int:
        """How many rows a load would read; for a dry run, which goes no further."""

    def copy_into(self, warehouse: psycopg.Connection, wanted: Wanted) -> Copied:
        """Put the rows into the feed's staging table, in the caller's transaction."""

    def progress(self, begun: Begun, window: Window | None, key: CheckedKey | None) -> Progress:
        """Where the feed will stand once the rows are published; a replayed window moves nothing."""
