"""A source's clock that went back: a watermark that trusts it would pass rows that are stamped below it.

A clock that went back and forth between two loads leaves no trace here; the daily reconciliation finds such rows.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg.rows import tuple_row

from promptsales.feeds.models import GAP
from promptsales.feeds.state import Begun, statement

# what the watermark stays behind the frontier anyway: rows stamped within it are read again
_HARMLESS = timedelta(seconds=5)


class Setback(NamedTuple):
    """A clock that went back, by how much, and from where on rows must be read again."""

    lost: timedelta
    watermark: datetime

    @property
    def held_by(self) -> str:
        """Return why it is not known how far the feed is complete."""
        return f"the source's clock went back by {self.lost}, or a server took over that is so far behind; {GAP}"


def setback(
    warehouse: psycopg.Connection, feed: str, begun: Begun, read_at: datetime, look_back: timedelta, is_own_clock: bool
) -> Setback | None:
    """Compare the source's clock with the watermark, and with how much time has passed here since the last delta.

    Args:
        warehouse: whose clock says how much time has passed.
        feed: its name.
        begun: the extraction that has just begun, and where the feed stands.
        read_at: the source's clock, read after that.
        look_back: how far is read again at least.
        is_own_clock: False where ``read_at`` is how far a standby has replayed, which may stand still.

    Returns:
        None where the clock runs on, or nothing was loaded yet.
    """
    watermark = begun.last_sync_timestamp
    if watermark is None:
        return None
    values = {
        "feed": feed, "watermark": watermark, "read_at": read_at, "asked_at": begun.started_at,
        "is_own_clock": is_own_clock,
    }  # fmt: skip
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        (lost,) = cursor.execute(statement("setback"), values).fetchone() or (None,)
    if lost is None or (lost <= _HARMLESS and watermark <= read_at):
        return None
    return Setback(lost, min(watermark - lost - _HARMLESS, read_at - look_back))
