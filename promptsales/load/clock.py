"""Detect a source clock that was set back: new rows are then stamped below the watermark and would be skipped.

A clock that was set back and forward again between two loads is not detected; the daily reconciliation loads the rows.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg.rows import tuple_row

from promptsales.feeds.models import GAP
from promptsales.feeds.state import FeedState, statement

# the watermark stays this far behind the frontier anyway
_HARMLESS = timedelta(seconds=5)


class Setback(NamedTuple):
    """By how much a clock was set back, and the watermark from which rows must be read again."""

    lost: timedelta
    watermark: datetime

    @property
    def held_by(self) -> str:
        """The reason why it is not known how far the feed is complete."""
        return f"the source's clock went back by {self.lost}, or a server that is this far behind took over; {GAP}"

    def move(self, feed_state: FeedState) -> FeedState:
        """Return the state with the watermark set back, so that it is not complete."""
        return feed_state._replace(last_sync_timestamp=self.watermark, complete_through=None)


def find_setback(
    warehouse: psycopg.Connection,
    feed: str,
    feed_state: FeedState,
    read_at: datetime,
    look_back: timedelta,
    is_own_clock: bool,
) -> Setback | None:
    """Compare the source's clock with the watermark, and with the time the warehouse measured since the last delta.

    Args:
        warehouse: the connection whose clock measures that time.
        feed: the name of the feed.
        feed_state: the extraction that has just begun, and the stored state of the feed.
        read_at: the source's clock, read after the extraction began.
        look_back: the shortest interval that is read again.
        is_own_clock: False where ``read_at`` is the replay position of a standby, which may stand still.

    Returns:
        None if the clock was not set back, or the feed was never loaded.
    """
    watermark = feed_state.last_sync_timestamp
    if watermark is None:
        return None
    values = {
        "feed": feed, "watermark": watermark, "read_at": read_at, "asked_at": feed_state.started_at,
        "is_own_clock": is_own_clock,
    }  # fmt: skip
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        (lost,) = cursor.execute(statement("setback"), values).fetchone() or (None,)
    if lost is None or (lost <= _HARMLESS and watermark <= read_at):
        return None
    return Setback(lost, min(watermark - lost - _HARMLESS, read_at - look_back))
