"""How far each feed is complete, and what holds it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.specs.feed import Contract, contracts
from promptsales.specs.stream import StreamContract, stream_contracts


class Freshness(NamedTuple):
    """One feed; ``age`` is how long ago it was complete, None where that is not known.

    ``held_by`` is what kept the watermark back when it was last loaded, ``held_since`` since when: the start of a
    transaction, or the first load that read a standby.
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
        """Whether it comes event by event, rather than by the hour."""
        return self.feed in stream_contracts()

    @property
    def state(self) -> str:
        """One of: never loaded, unknown (a standby), fresh, late, stale."""
        if self.last_sync_timestamp is None:
            return "never loaded"
        if self.age is None:
            return "unknown"
        table = self.contract
        return "stale" if self.age > table.stale_after else "late" if self.age > table.late_after else "fresh"


_FRESHNESS = Path(__file__).with_name("freshness.sql").read_bytes()


def freshness(warehouse: psycopg.Connection) -> list[Freshness]:
    """Every feed and every streamed table that has a contract, loaded or not."""
    with warehouse.cursor(row_factory=class_row(Freshness)) as cursor:
        return cursor.execute(_FRESHNESS, [[*contracts(), *stream_contracts()]]).fetchall()
