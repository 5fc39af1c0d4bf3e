"""The real stream: everything that the applications wrote must be in the warehouse, row by row, once all is applied."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import httpx
import psycopg
import redis
from psycopg import sql

from promptsales.settings import Settings
from promptsales.stream import connectors


class Table(NamedTuple):
    """A streamed table: its system, its columns, and the warehouse's names of the same columns."""

    system: Literal["promptads", "promptcrm"]
    theirs: str
    columns: tuple[str, ...]


# written by hand, not from the contracts; the first column is the key
TABLES = {
    "core.campaigns": Table(
        "promptads",
        """select id, user_id, name, objective, budget, currency_code, status, start_date at time zone 'UTC',
                  end_date at time zone 'UTC', created_at, updated_at, deleted_at
           from promptads.campaigns""",
        ("campaign_id", "user_id", "name", "objective", "budget", "currency_code", "status", "starts_at",
         "ends_at", "created_at", "updated_at", "deleted_at"),
    ),
    "core.ad_groups": Table(
        "promptads",
        """select id, campaign_id, name, case when target_audience is not null then (
                      select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(target_audience)
                      where key in ('age_min', 'age_max', 'countries', 'interests')
                  ) end, created_at, updated_at, deleted_at
           from promptads.ad_groups""",
        ("ad_group_id", "campaign_id", "name", "target_audience", "created_at", "updated_at", "deleted_at"),
    ),
    "core.ads": Table(
        "promptads",
        # null for an ad without the column
        """select id, ad_group_id, to_jsonb(a)->>'content_id', type, status, created_at, updated_at, deleted_at
           from promptads.ads a""",
        ("ad_id", "ad_group_id", "content_id", "type", "status", "created_at", "updated_at", "deleted_at"),
    ),
    "core.ad_metrics": Table(
        "promptads",
        """select id, ad_id, timestamp at time zone 'UTC', impressions, clicks, spend, conversions, updated_at
           from promptads.ad_metrics""",
        ("metric_id", "ad_id", "metric_at", "impressions", "clicks", "spend", "conversions", "updated_at"),
    ),
    "core.campaign_metrics": Table(
        "promptads",
        """select id, campaign_id, timestamp at time zone 'UTC', impressions, clicks, spend, conversions, updated_at
           from promptads.campaign_metrics""",
        ("metric_id", "campaign_id", "metric_at", "impressions", "clicks", "spend", "conversions", "updated_at"),
    ),
    "core.opportunity_stage_history": Table(
        "promptcrm",
        """select id, opportunity_id, from_stage_id, to_stage_id, amount_at_change, changed_by_user_id, changed_at,
                  created_at, updated_at
           from crm.opportunity_stage_history""",
        ("change_id", "opportunity_id", "from_stage_id", "to_stage_id", "amount_at_change", "changed_by_user_id",
         "changed_at", "created_at", "updated_at"),
    ),
    "realtime.live_leads": Table(
        "promptcrm",
        """select id, campaign_id, status, merged_into_id, created_at, qualified_at, converted_at,
                  updated_at, deleted_at
           from crm.leads""",
        ("lead_id", "campaign_id", "status", "merged_into_id", "created_at", "qualified_at",
         "converted_at", "updated_at", "deleted_at"),
    ),
    "realtime.live_opportunities": Table(
        "promptcrm",
        """select id, campaign_id, source_lead_id, stage_id, amount, currency_code, merged_into_id, created_at,
                  closed_at, updated_at, deleted_at
           from crm.opportunities""",
        ("opportunity_id", "campaign_id", "source_lead_id", "stage_id", "amount", "currency_code", "merged_into_id",
         "created_at", "closed_at", "updated_at", "deleted_at"),
    ),
}  # fmt: skip

# a line in the server's log: earlier tests' deadlocks come before it
BEGIN = "do $$ begin raise log 'followed from here'; end $$"
_EMPTY = {
    "promptads": "truncate promptads.campaigns, promptads.ad_groups, promptads.ads, promptads.campaign_metrics cascade",
    "promptcrm": "truncate crm.accounts, crm.contacts, crm.leads, crm.opportunities cascade",
}
# a row whose newest version is in quarantine counts as that version
_OURS = """
    select {columns} from (
        select t.* from {table} t
        where not t.is_deleted and not exists (
            select from ops.quarantine q where q.feed = {feed} and q.key = t.{key}::text and q.released_at is null
        )
        union all
        select (jsonb_populate_record(null::{table}, q.payload)).* from ops.quarantine q
        where q.feed = {feed} and q.released_at is null
    ) held
"""
_NOW = "select clock_timestamp(), pg_logical_emit_message(false, 'heartbeat', 'now')"
_COMPLETE = "select complete_through from ops.feed where feed = %s"


@contextmanager
def followed(stack: Settings) -> Iterator[None]:
    """Empty both sources and stream them under a new epoch; stop streaming afterwards."""
    for system, statement in _EMPTY.items():
        with psycopg.connect(stack.address(system), autocommit=True) as source:  # type: ignore[arg-type]
            source.execute(statement.encode())
    with redis.Redis.from_url(stack.address("redis")) as cache:
        cache.flushdb()
    with psycopg.connect(stack.address("warehouse_admin"), autocommit=True) as warehouse:
        warehouse.execute(BEGIN)
    try:
        for name in connectors.names():
            connectors.snapshot_again(stack, name)
        wait(lambda: is_followed(stack))
        yield
    finally:
        with httpx.Client(base_url=stack.address("connect"), trust_env=False, timeout=30) as client:
            for name in connectors.names():
                client.put(f"/connectors/{name}/stop").raise_for_status()


def is_followed(stack: Settings) -> bool:
    """Return whether every connector runs."""
    return all(connectors.read_status(stack, name).task == "RUNNING" for name in connectors.names())


def wait(is_done: Callable[[], Any], patience_s: float = 90) -> None:
    """Wait until a condition holds; servers may be unavailable until then."""
    end, away = time.monotonic() + patience_s, None
    while time.monotonic() < end:
        try:
            if is_done():
                return
        except (psycopg.OperationalError, httpx.HTTPError) as error:
            away = error
        time.sleep(0.2)
    raise AssertionError(f"the condition does not hold after {patience_s} s") from away


def settle(stack: Settings, patience_s: float = 90) -> None:
    """Wait until `complete_through` says that everything the applications hold now is in the warehouse."""
    for system, feed in (("promptads", "campaign_metrics"), ("promptcrm", "live_leads")):
        _settle(stack, stack.address(system), feed, patience_s)  # type: ignore[arg-type]


def _settle(stack: Settings, address: str, feed: str, patience_s: float) -> None:
    began: Any = None

    def is_complete() -> bool:
        nonlocal began
        with psycopg.connect(address, autocommit=True, connect_timeout=2) as source:
            now = source.execute(_NOW).fetchone()
        assert now
        began = began or now[0]
        with psycopg.connect(stack.address("warehouse"), connect_timeout=2) as warehouse:
            row = warehouse.execute(_COMPLETE, [feed]).fetchone()
        return row is not None and row[0] is not None and row[0] >= began

    wait(is_complete, patience_s)


def differing(stack: Settings, warehouse: psycopg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows, by table, that only the source or only core and quarantine have."""
    differences = {name: _only_one_has(stack, warehouse, name, table) for name, table in TABLES.items()}
    return {name: rows for name, rows in differences.items() if rows}


def _only_one_has(stack: Settings, warehouse: psycopg.Connection, name: str, table: Table) -> list[tuple[Any, ...]]:
    layer, feed = name.split(".")
    ours = sql.SQL(_OURS).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        table=sql.Identifier(layer, feed),
        feed=sql.Literal(feed),
        key=sql.Identifier(table.columns[0]),
    )
    with psycopg.connect(stack.address(table.system), autocommit=True) as source:
        source_rows = Counter(map(_hashable, source.execute(table.theirs.encode()).fetchall()))
    warehouse_rows = Counter(map(_hashable, warehouse.execute(ours).fetchall()))
    return sorted([*(source_rows - warehouse_rows), *(warehouse_rows - source_rows)], key=str)


def _hashable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row with its objects as text, their keys in order."""
    return tuple(json.dumps(value, sort_keys=True) if isinstance(value, dict) else value for value in row)


def assert_equal_to_the_source(stack: Settings, warehouse: psycopg.Connection) -> None:
    """Check that core and quarantine together equal the source, row by row and column by column."""
    assert differing(stack, warehouse) == {}
