"""Read how far each feed is complete, and what holds its watermark back."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.specs.feed import Contract, contracts
from promptsales.specs.stream import StreamContract, stream_contracts


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
    def contract(self) -> Contract | StreamContract:
        """Its contract, which says when it is late or stale."""
        return stream_contracts()[self.feed] if self.is_streamed else contracts()[self.feed]

    @property
    def is_streamed(self) -> bool:
        """Return whether the table is streamed rather than loaded every hour."""
        return self.feed in stream_contracts()

    @property
    def state(self) -> str:
        """Return never loaded, unknown (``held_by`` says why), fresh, late or stale."""
        if self.last_sync_timestamp is None:
            return "never loaded"
        if self.age is None:
            return "unknown"
        table = self.contract
        return "stale" if self.age > table.stale_after else "late" if self.age > table.late_after else "fresh"


_FRESHNESS = Path(__file__).with_name("freshness.sql").read_bytes()


def freshness(warehouse: psycopg.Connection) -> list[Freshness]:
    """Return the state of every feed and streamed table that has a contract, including those never loaded."""
    with warehouse.cursor(row_factory=class_row(Freshness)) as cursor:
        return cursor.execute(_FRESHNESS, [[*contracts(), *stream_contracts()]]).fetchall()
