"""A feed's row in ``ops.feed``: begin an extraction, hold the fence, finish a load."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row, tuple_row

from promptsales.errors import Fenced
from promptsales.feeds.models import LoadResult, Staged
from promptsales.hashing.keys import CheckedKey

SQL = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> bytes:
    """Return the text of a ``.sql`` file of the folder ``sql`` beside this module."""
    return (SQL / f"{name}.sql").read_bytes()


class FeedState(NamedTuple):
    """The number of a new extraction, and the stored state of its feed."""

    extraction: int
    last_sync_timestamp: datetime | None
    complete_through: datetime | None
    pii_kid: int | None
    pii_check: bytes | None
    resume_token: str | None
    kafka_offsets: str | None
    started_at: datetime

    @property
    def key(self) -> CheckedKey | None:
        """Number and check value of the hashing key the feed was loaded with."""
        if self.pii_kid is None or self.pii_check is None:
            return None
        return CheckedKey(self.pii_kid, self.pii_check)


def begin(warehouse: psycopg.Connection, feed: str) -> FeedState:
    """Number a new extraction and return the feed's state; from now on no older run of the feed can publish."""
    with warehouse.cursor(row_factory=class_row(FeedState)) as cursor:
        feed_state = cursor.execute(statement("begin"), {"feed": feed}).fetchone()
    assert feed_state is not None  # noqa: S101 -- the upsert always returns its row
    return feed_state


def read_state(warehouse: psycopg.Connection, feed: str) -> FeedState:
    """Read a feed's state without starting an extraction; all is null for a feed that was never loaded."""
    with warehouse.cursor(row_factory=class_row(FeedState)) as cursor:
        feed_state = cursor.execute(statement("stands"), {"feed": feed}).fetchone()
    assert feed_state is not None  # noqa: S101 -- the query returns one row
    return feed_state


def read_clock(warehouse: psycopg.Connection) -> datetime:
    """Return the warehouse's clock."""
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("select clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 -- the query returns one row
    return row[0]  # type: ignore[no-any-return]


def has_gap(warehouse: psycopg.Connection, feed: str) -> bool:
    """Return whether rows may be missing that no delta load reads.

    That is so when the last load did not know how far the feed is complete and no reconciliation has run since.
    """
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("gap"), {"feed": feed}).fetchone()
    return bool(row and row[0])


def hold_fence(warehouse: psycopg.Connection, feed: str, extraction: int) -> None:
    """Prevent newer runs of the feed from beginning until the transaction ends.

    Raises:
        Fenced: when a newer run has begun.
    """
    _refuse_overtaken(warehouse, feed, extraction, statement("fence") + b" for update")


def check_fence(warehouse: psycopg.Connection, feed: str, extraction: int) -> None:
    """Check the fence without locking it, for work that a newer run need not wait for.

    Raises:
        Fenced: when a newer run has begun.
    """
    _refuse_overtaken(warehouse, feed, extraction, statement("fence"))


def _refuse_overtaken(warehouse: psycopg.Connection, feed: str, extraction: int, query: bytes) -> None:
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query, {"feed": feed}).fetchone()
    fence = row[0] if row else None
    if fence != extraction:
        raise Fenced(f"feed {feed}: extraction {extraction} was overtaken by {fence}, which loads the same rows")


def read_result(warehouse: psycopg.Connection, staged: Staged) -> LoadResult | None:
    """Return the result of this load if an earlier attempt has published it, else None."""
    with warehouse.cursor(row_factory=class_row(LoadResult)) as cursor:
        return cursor.execute(statement("published"), {"feed": staged.feed, "extraction": staged.extraction}).fetchone()


def claim_hold_alert(warehouse: psycopg.Connection, system: str, staged: Staged) -> bool:
    """Return True once per blocking transaction, so that one alert is sent for all feeds of a system.

    Args:
        warehouse: the warehouse, in autocommit, so that one of several concurrent callers gets True.
        system: the source system whose open transaction holds the watermarks.
        staged: a load that is held back.
    """
    progress = staged.progress
    values = {"system": system, "feed": staged.feed, "held_since": progress.held_since, "held_by": progress.held_by}
    return warehouse.execute(statement("hold_alert"), values).rowcount == 1


def read_seen_through(warehouse: psycopg.Connection, feed: str) -> datetime | None:
    """Return the latest time a row of core can carry, ten seconds after the last load read the source's clock.

    It only saves work: staged rows with a later time are not looked up in core before they are checked. A load that
    paused after it read the clock may have brought later rows, which are checked once more.
    """
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("seen_through"), {"feed": feed}).fetchone()
    return row[0] if row else None


def finish(warehouse: psycopg.Connection, staged: Staged, result: LoadResult) -> None:
    """Write the audit row and the feed's new state; call it in the transaction that publishes."""
    window = staged.window
    warehouse.execute(
        statement("finish"),
        {
            **result.model_dump(),
            "mode": "window" if window else "delta",
            "window_start": staged.window_start,
            "window_end": window.end if window else None,
            "read_at": staged.read_at,
            "triggered_by": staged.triggered_by,
            "started_at": staged.started_at,
        },
    )
    warehouse.execute(
        statement("advance"), {"feed": staged.feed, "read_at": staged.read_at, **staged.progress.model_dump()}
    )
    if staged.clock_at and not window:
        warehouse.execute(statement("note_clock"), staged.model_dump(include={"feed", "read_at", "clock_at"}))
    warehouse.execute(statement("expire"), {"feed": staged.feed})
