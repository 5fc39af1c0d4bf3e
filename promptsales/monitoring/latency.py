"""How long a write took from the commit at its source to the commit in the warehouse, by the servers' own clocks.

Both clusters keep commit times (``track_commit_timestamp``). A row that changed again is measured by its last commit.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

# of each measured row: when it was committed
_SOURCE = "select id, pg_xact_commit_timestamp(xmin) from promptads.campaign_metrics where updated_at >= %s"
_WAREHOUSE = "select metric_id, pg_xact_commit_timestamp(xmin) from core.campaign_metrics where metric_id = any(%s)"


class Latency(NamedTuple):
    """Milliseconds from commit to commit, and how many rows were measured."""

    rows: int
    p50: float
    p95: float
    p99: float
    longest: float


def measure(ads: psycopg.Connection, warehouse: psycopg.Connection, since: datetime) -> Latency | None:
    """Of measurements written since a time; None where there are none in the warehouse."""
    written: Mapping[int, datetime] = dict(ads.execute(_SOURCE, [since]).fetchall())
    arrived = warehouse.execute(_WAREHOUSE, [list(written)]).fetchall()
    waits = sorted((at - written[key]).total_seconds() * 1000 for key, at in arrived)
    if not waits:
        return None
    p50, p95, p99 = (percentile(waits, share) for share in (0.5, 0.95, 0.99))
    return Latency(len(waits), p50, p95, p99, waits[-1])


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return ordered[math.ceil(len(ordered) * share) - 1]
