"""Recount the minutes, days and totals of campaigns from core, and correct those that differ."""

from pathlib import Path
from typing import NamedTuple

import psycopg

SQL = Path(__file__).parent / "sql"


class RecountResult(NamedTuple):
    """How many figures were corrected, and how many minutes past their retention were dropped."""

    minutes: int
    days: int
    totals: int
    dropped: int

    @property
    def corrected(self) -> int:
        """Return how many figures were wrong."""
        return self.minutes + self.days + self.totals


# days; further back than any business date
EVERY_DAY = 100_000


def rebuild(warehouse: psycopg.Connection, minutes_days: int, days: int | None = None) -> RecountResult:
    """Recount in one transaction, for which the stream waits.

    Args:
        warehouse: an open connection in autocommit.
        minutes_days: days for which minutes are kept.
        days: days back for which days are recounted; None for as many as minutes are kept.
    """
    values = {"minutes_days": minutes_days, "days": minutes_days if days is None else days}
    with warehouse.transaction():
        warehouse.execute("lock table core.campaign_metrics in share row exclusive mode")
        steps = ("minutes", "days", "totals", "retention")
        counts = [warehouse.execute((SQL / f"{step}.sql").read_bytes(), values).rowcount for step in steps]
    return RecountResult(*counts)
