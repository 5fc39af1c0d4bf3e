"""The real stream, followed: what the applications wrote must be in the warehouse, row by row, once all is applied."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import redis

from promptsales import connectors
from promptsales.settings import Settings

# streamed table -> (what the application has, what the warehouse has); of our own, not from the contracts
TABLES = {
    "core.campaigns": (
        """select id, user_id, name, objective, budget, currency_code, status, start_date at time zone 'UTC',
                  end_date at time zone 'UTC', created_at, updated_at, deleted_at
           from promptads.campaigns""",
        """select campaign_id, user_id, name, objective, budget, currency_code, status, starts_at,
                  ends_at, created_at, updated_at, deleted_at
           from core.campaigns where not is_deleted""",
    ),
    "core.campaign_metrics": (
        """select id, campaign_id, timestamp at time zone 'UTC', impressions, clicks, spend, conversions, updated_at
           from promptads.campaign_metrics""",
        """select metric_id, campaign_id, metric_at, impressions, clicks, spend, conversions, updated_at
           from core.campaign_metrics where not is_deleted""",
    ),
}

_EMPTY = "truncate promptads.campaigns, promptads.ad_groups, promptads.ads, promptads.campaign_metrics cascade"
_BEAT = "select pg_logical_emit_message(false, 'heartbeat', 'now')"


@contextmanager
def followed(stack: Settings) -> Iterator[None]:
    """Both sources, followed under a new epoch; PromptAds is empty. Afterwards nothing is followed any more."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute(_EMPTY)
    with redis.Redis.from_url(stack.address("redis")) as cache:
        cache.flushdb()
    try:
        for name in connectors.names():
            connectors.snapshot_again(stack, name)
        wait(lambda: all(connectors.status(stack, name).task == "RUNNING" for name in connectors.names()))
        yield
    finally:
        with httpx.Client(base_url=stack.address("connect"), trust_env=False, timeout=30) as client:
            for name in connectors.names():
                client.put(f"/connectors/{name}/stop").raise_for_status()


def wait(is_done: Callable[[], Any], patience_s: float = 90) -> None:
    """Wait until it is so; until then servers may be away."""
    end, away = time.monotonic() + patience_s, None
    while time.monotonic() < end:
        try:
            if is_done():
                return
        except (psycopg.OperationalError, httpx.HTTPError) as error:
            away = error
        time.sleep(0.2)
    raise AssertionError(f"not so after {patience_s} s") from away


def settle(stack: Settings, patience_s: float = 90) -> None:
    """Wait until `complete_through` says that all that PromptAds holds now is in the warehouse."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        now = ads.execute("select clock_timestamp()").fetchone()
        assert now
        found = None

        def is_complete() -> bool:
            nonlocal found
            ads.execute(_BEAT)
            with psycopg.connect(stack.address("warehouse"), connect_timeout=2) as warehouse:
                query = "select complete_through from ops.feed where feed = 'campaign_metrics'"
                found = warehouse.execute(query).fetchone()
            return found is not None and found[0] >= now[0]

        wait(is_complete, patience_s)


def assert_equal_to_the_source(stack: Settings, warehouse: psycopg.Connection) -> None:
    """Core is the source, row by row and column by column."""
    for table, (theirs, ours) in TABLES.items():
        with psycopg.connect(stack.address("promptads"), autocommit=True) as source:
            there = sorted(source.execute(theirs.encode()).fetchall(), key=str)
        assert sorted(warehouse.execute(ours.encode()).fetchall(), key=str) == there, table
