"""Read how far each feed is complete, and what holds its watermark back."""

from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.specs.feed import contracts
from promptsales.specs.stream import stream_contracts

# hourly feeds are late after two intervals and stale after four
LATE = timedelta(hours=2)
STALE = timedelta(hours=4)
STREAM_LATE = timedelta(minutes=1)
STREAM_STALE = timedelta(minutes=15)


class Freshness(NamedTuple):
    """The state of one feed. ``age`` is the time since ``complete_through``, None when that is unknown.

    ``held_by`` names what held the watermark back in the last load. ``held_since`` is when that started: the start of a
    transaction, or the first load that read from a standby.
    """

    feed: str
    last_sync_timestamp: datetime | None
    complete_through: datetime | None
    age: timedelta | None
    held_by: str | None
    held_since: datetime | None

    @property
    def is_streamed(self) -> bool:
        """Return whether the table is streamed rather than loaded every hour."""
        return self.feed in stream_contracts()

    @property
    def state(self) -> str:
        """Return never loaded, unknown (read from a standby), fresh, late or stale."""
        if self.last_sync_timestamp is None:
            return "never loaded"
        if self.age is None:
            return "unknown"
        late, stale = (STREAM_LATE, STREAM_STALE) if self.is_streamed else (LATE, STALE)
        return "stale" if self.age > stale else "late" if self.age > late else "fresh"


_FRESHNESS = """
    select name as feed, last_sync_timestamp, complete_through, clock_timestamp() - complete_through as age,
           held_by, held_since
    from unnest(%s::text[]) as name left join ops.feed on feed = name
    order by name
"""


def freshness(warehouse: psycopg.Connection) -> list[Freshness]:
    """Return the state of every feed and streamed table that has a contract, including those never loaded."""
    with warehouse.cursor(row_factory=class_row(Freshness)) as cursor:
        return cursor.execute(_FRESHNESS, [[*contracts(), *stream_contracts()]]).fetchall()
