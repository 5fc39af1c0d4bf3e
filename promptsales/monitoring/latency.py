"""Measure the time from the commit at the source to the commit in the warehouse, by the clocks of the two servers.

Both clusters record commit times (``track_commit_timestamp``). A row that changed again counts with its last commit.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

_SOURCE = """
    select id, pg_xact_commit_timestamp(xmin) from promptads.campaign_metrics
    where updated_at >= %s and updated_at < %s
"""
_WAREHOUSE = "select metric_id, pg_xact_commit_timestamp(xmin) from core.campaign_metrics where metric_id = any(%s)"


class Latency(NamedTuple):
    """Percentiles of the time from commit to commit, in milliseconds, and the number of rows measured."""

    rows: int
    p50: float
    p95: float
    p99: float
    longest: float


def measure(ads: psycopg.Connection, warehouse: psycopg.Connection, since: datetime) -> Latency | None:
    """Return the latency of the campaign metrics written since a time; None when none of them has arrived."""
    delays = sorted((arrived - at).total_seconds() * 1000 for at, arrived in read_commits(ads, warehouse, since))
    if not delays:
        return None
    p50, p95, p99 = (percentile(delays, share) for share in (0.5, 0.95, 0.99))
    return Latency(len(delays), p50, p95, p99, delays[-1])


def read_commits(
    ads: psycopg.Connection, warehouse: psycopg.Connection, since: datetime, until: datetime | None = None
) -> list[tuple[datetime, datetime]]:
    """Return when each campaign metric written in a time was committed, at the source and in the warehouse."""
    query = ads.execute(_SOURCE, [since, until or "infinity"])
    written: Mapping[int, datetime] = dict(query.fetchall())
    return [(written[key], at) for key, at in warehouse.execute(_WAREHOUSE, [list(written)]).fetchall()]


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the sorted values that at least this share of them does not exceed."""
    return ordered[math.ceil(len(ordered) * share) - 1]
