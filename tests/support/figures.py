"""Minutes, days and totals of campaigns, recounted by SQL of the tests' own."""

from typing import Any

import psycopg

_SUMS = "sum(impressions)::bigint, sum(clicks)::bigint, sum(spend), sum(conversions)::bigint"
_ROWS = "from core.campaign_metrics where not is_deleted group by"
_SOME = "having sum(impressions) <> 0 or sum(clicks) <> 0 or sum(spend) <> 0 or sum(conversions) <> 0"
_KEPT = "where impressions <> 0 or clicks <> 0 or spend <> 0 or conversions <> 0"

# the stored figures, and the same computed from the rows
_PAIRS = {
    "campaign_minute": ("minute", f"select campaign_id, date_trunc('minute', metric_at), {_SUMS} {_ROWS} 1, 2 {_SOME}"),
    "campaign_day": (
        "date_day",
        f"select campaign_id, (metric_at at time zone 'UTC')::date, {_SUMS} {_ROWS} 1, 2 {_SOME}",
    ),
    "campaign_total": ("null::int", f"select campaign_id, null::int, {_SUMS} {_ROWS} 1 {_SOME}"),
}


def kept(warehouse: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    """Return the stored figures, without rows that are all zero."""
    at = _PAIRS[table][0]
    query = f"select campaign_id, {at}, impressions, clicks, spend, conversions from realtime.{table} {_KEPT}"  # noqa: S608
    return sorted(warehouse.execute(query.encode()).fetchall(), key=str)


def recounted(warehouse: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    """Return the same figures from core.campaign_metrics."""
    return sorted(warehouse.execute(_PAIRS[table][1].encode()).fetchall(), key=str)


def miscounted(warehouse: psycopg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return the figures, by table, in which the stored ones and a recount differ."""
    pairs = {table: (set(kept(warehouse, table)), set(recounted(warehouse, table))) for table in _PAIRS}
    return {table: sorted(ours ^ theirs, key=str) for table, (ours, theirs) in pairs.items() if ours != theirs}


def assert_equal_to_a_recount(warehouse: psycopg.Connection) -> None:
    """Check that every minute, day and total equals a recount."""
    assert miscounted(warehouse) == {}
