"""Minutes, days and totals of campaigns, counted anew from core; what differs is mended."""

from pathlib import Path
from typing import NamedTuple

import psycopg

SQL = Path(__file__).parent / "sql"


class Rebuilt(NamedTuple):
    """How many figures were not as core says, and how many minutes were past their time."""

    minutes: int
    days: int
    totals: int
    dropped: int

    @property
    def mended(self) -> int:
        """Figures that were wrong."""
        return self.minutes + self.days + self.totals


# further back than any business date
EVERY_DAY = 100_000


def rebuild(warehouse: psycopg.Connection, minutes_days: int, days: int | None = None) -> Rebuilt:
    """Count anew, in one transaction for which the stream waits.

    Args:
        warehouse: an open connection, in autocommit.
        minutes_days: for so many days minutes are kept.
        days: so many days back days are counted anew; as many as minutes are kept where it is None.
    """
    values = {"minutes_days": minutes_days, "days": minutes_days if days is None else days}
    with warehouse.transaction():
        warehouse.execute("lock table core.campaign_metrics in share row exclusive mode")
        steps = ("minutes", "days", "totals", "retention")
        counts = [warehouse.execute((SQL / f"{step}.sql").read_bytes(), values).rowcount for step in steps]
    return Rebuilt(*counts)
