"""Measurements of campaigns, written at a pace; and the wait until the stream has applied them all."""

import sys
import time
from typing import NamedTuple

import psycopg

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.settings import Settings
from promptsales.stream import connectors, lag

_INSERT = """
    insert into promptads.campaign_metrics (campaign_id, timestamp, impressions, clicks, spend, conversions)
    select id, now() at time zone 'UTC', 90, 9, 0.25, 1 from unnest(%s::uuid[]) as id
"""
_CAMPAIGNS = "select id from promptads.campaigns where user_id is not null and deleted_at is null order by id limit 40"
_IS_READ = "select confirmed_flush_lsn > %s::pg_lsn from pg_replication_slots where slot_name = 'promptads'"
PATIENCE_S = 300


class Load(NamedTuple):
    """A load: events per second, rows per transaction, and seconds."""

    events_a_second: int
    rows: int
    seconds: int


def read_campaigns(ads: psycopg.Connection) -> list[object]:
    """Return the keys of the campaigns to write measurements of; end the program when there are none."""
    campaigns = [key for (key,) in ads.execute(_CAMPAIGNS)]
    if not campaigns:
        sys.exit("promptads has no campaigns; run `promptsales run` or `promptsales seed` first")
    return campaigns


def write(ads: psycopg.Connection, campaigns: list[object], load: Load) -> int:
    """Write at an even pace, one transaction after the other; return the number of rows."""
    began, written, turn = time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - began) < load.seconds:
        if written > elapsed * load.events_a_second:
            time.sleep(0.0005)
            continue
        write_once(ads, [campaigns[(turn + offset) % len(campaigns)] for offset in range(load.rows)])
        written, turn = written + load.rows, turn + load.rows
    return written


def write_once(ads: psycopg.Connection, campaigns: list[object]) -> None:
    """Write a measurement of each of these campaigns in one transaction."""
    ads.execute(_INSERT, [campaigns])


def settle(here: Settings, warehouse: psycopg.Connection) -> None:
    """Wait until the source's log has been read and all events on the bus have been applied."""
    client, end = topics.admin(here.address("kafka")), time.monotonic() + PATIENCE_S
    with connected(here, connectors.source_of("promptads")) as source:
        target = source.execute("select pg_current_wal_insert_lsn()::text").fetchone()
        while time.monotonic() < end:
            source.execute("select pg_logical_emit_message(false, 'bench', 'now')")
            names = lag.topics("promptads")
            if source.execute(_IS_READ, target).fetchone() == (True,) and not lag.count_waiting(
                lag.read_ends(client, names), lag.read_applied(warehouse, names)
            ):
                return
            time.sleep(0.1)
    sys.exit(f"events still wait after {PATIENCE_S} s; check the stream with `promptsales status`")
