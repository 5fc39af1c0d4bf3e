"""A feed's row in ``ops.feed``: begin an extraction, hold the fence, finish a load."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row, tuple_row

from promptsales.errors import Fenced
from promptsales.feeds.models import LoadResult, Staged

SQL = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> bytes:
    """The text of one of the ``.sql`` files of this package."""
    return (SQL / f"{name}.sql").read_bytes()


class Begun(NamedTuple):
    """A new extraction and where its feed stands."""

    extraction: int
    last_sync_timestamp: datetime | None
    complete_through: datetime | None
    pii_kid: int | None
    pii_check: bytes | None
    resume_token: str | None
    kafka_offsets: str | None
    started_at: datetime

    @property
    def key(self) -> tuple[int, bytes] | None:
        """Number and check value of the key the feed was loaded with."""
        if self.pii_kid is None or self.pii_check is None:
            return None
        return self.pii_kid, self.pii_check


def begin(warehouse: psycopg.Connection, feed: str) -> Begun:
    """Number a new extraction; from now on older runs of the feed cannot publish."""
    with warehouse.cursor(row_factory=class_row(Begun)) as cursor:
        found = cursor.execute(statement("begin"), {"feed": feed}).fetchone()
    assert found is not None  # noqa: S101 -- the upsert always returns its row
    return found


def stands(warehouse: psycopg.Connection, feed: str) -> Begun:
    """Where a feed stands, for who only looks; a feed that was never loaded stands at the beginning."""
    with warehouse.cursor(row_factory=class_row(Begun)) as cursor:
        found = cursor.execute(statement("stands"), {"feed": feed}).fetchone()
    assert found is not None  # noqa: S101 -- the query returns one row
    return found


def clock(warehouse: psycopg.Connection) -> datetime:
    """Return the warehouse's clock."""
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("select clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 -- the query returns one row
    return row[0]  # type: ignore[no-any-return]


def has_gap(warehouse: psycopg.Connection, feed: str) -> bool:
    """Whether rows may be missing that no delta finds: how far it was complete was not known, and none compared it."""
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("gap"), {"feed": feed}).fetchone()
    return bool(row and row[0])


def hold_fence(warehouse: psycopg.Connection, feed: str, extraction: int) -> None:
    """Keep newer runs of the feed from beginning until the transaction ends.

    Raises:
        Fenced: when one has begun already.
    """
    _refuse_overtaken(warehouse, feed, extraction, statement("fence") + b" for update")


def look_at_fence(warehouse: psycopg.Connection, feed: str, extraction: int) -> None:
    """The same without the lock, for work that a newer run need not wait for.

    Raises:
        Fenced: when a newer run has begun.
    """
    _refuse_overtaken(warehouse, feed, extraction, statement("fence"))


def _refuse_overtaken(warehouse: psycopg.Connection, feed: str, extraction: int, query: bytes) -> None:
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query, {"feed": feed}).fetchone()
    fence = row[0] if row else None
    if fence != extraction:
        raise Fenced(f"feed {feed}: extraction {extraction} was overtaken by {fence}, which loads its rows too")


def published(warehouse: psycopg.Connection, staged: Staged) -> LoadResult | None:
    """The result of this very load, when an earlier try has published it already."""
    with warehouse.cursor(row_factory=class_row(LoadResult)) as cursor:
        return cursor.execute(statement("published"), {"feed": staged.feed, "extraction": staged.extraction}).fetchone()


def is_news(warehouse: psycopg.Connection, system: str, staged: Staged) -> bool:
    """Whether what holds the feed's watermark was not told yet; asked again, or for another feed of the system, it was.

    Args:
        warehouse: the warehouse, in autocommit, so that of feeds that ask at once one is told.
        system: the source that all its feeds wait for.
        staged: a load that is held back.
    """
    progress = staged.progress
    values = {"system": system, "feed": staged.feed, "held_since": progress.held_since, "held_by": progress.held_by}
    return warehouse.execute(statement("hold_alert"), values).rowcount == 1


def seen_through(warehouse: psycopg.Connection, feed: str) -> datetime | None:
    """No row in core is newer than this by its source's clock, give or take a load that was stopped for a while.

    Only a saving rests on it: rows changed later need not be looked up in core before they are checked.
    """
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("seen_through"), {"feed": feed}).fetchone()
    return row[0] if row else None


def finish(warehouse: psycopg.Connection, staged: Staged, result: LoadResult) -> None:
    """Write the audit row and where the feed stands now; belongs into the transaction that publishes."""
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
