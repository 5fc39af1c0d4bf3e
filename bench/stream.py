"""Measure the stream on the running stack: ``make bench-stream``. Each line is one load.

Latency is from the commit at the source to the commit in the warehouse, both by the servers' own commit times. The load
generator runs on the same machine. The rows are measurements of the sample data's campaigns, and stay there.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import psycopg
from tenacity import Retrying, TryAgain, stop_after_delay, wait_fixed

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.monitoring import latency
from promptsales.settings import ROOT, Settings, settings
from promptsales.stream import connectors, lag

_INSERT = """
    insert into promptads.campaign_metrics (campaign_id, timestamp, impressions, clicks, spend, conversions)
    select id, now() at time zone 'UTC', 90, 9, 0.25, 1 from unnest(%s::uuid[]) as id
"""
_CAMPAIGNS = "select id from promptads.campaigns where user_id is not null and deleted_at is null order by id limit 40"
_IS_READ = "select confirmed_flush_lsn > %s::pg_lsn from pg_replication_slots where slot_name = 'promptads'"
_PATIENCE_S = 300


class Load(NamedTuple):
    """A load: events per second, rows per transaction, and seconds."""

    events_a_second: int
    rows: int
    seconds: int


LOADS = (Load(2_000, 5, 15), Load(1_000, 1, 15), Load(6_000, 20, 15))
BACKLOG = 100_000


def main() -> None:
    """Run every load and a backlog, and print a table."""
    here = settings()
    print(f"{platform.platform()}, {os.cpu_count()} cores, shared with the load generator")
    print(f"{'events/s':>9} {'rows/tx':>8} {'reached':>9} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    with connected(here, "promptads") as ads, connected(here, "warehouse") as warehouse:
        campaigns = [key for (key,) in ads.execute(_CAMPAIGNS)]
        if not campaigns:
            sys.exit("promptads has no campaigns; run `promptsales run` or `promptsales seed` first")
        for load in LOADS:
            _measure(here, ads, warehouse, campaigns, load)
        _drain(here, ads, warehouse, campaigns, "one worker")
        with _second_worker(here):
            _drain(here, ads, warehouse, campaigns, "two workers")


@contextmanager
def _second_worker(here: Settings) -> Iterator[None]:
    """Run a second worker; enter once it has partitions, because joining the group stops the other one."""
    address = f"http://127.0.0.1:{here.port('stream') + 1}/health/"
    with subprocess.Popen([sys.executable, "-m", "streams", "1"], cwd=ROOT, stderr=subprocess.DEVNULL) as worker:
        try:
            Retrying(stop=stop_after_delay(_PATIENCE_S), wait=wait_fixed(0.5))(_check_partitions, address)
            yield
        finally:
            worker.terminate()


def _check_partitions(address: str) -> None:
    if not httpx.get(address, trust_env=False).json()["partitions"]:
        raise TryAgain


def _measure(
    here: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, campaigns: list[object], load: Load
) -> None:
    (since,) = ads.execute("select clock_timestamp()").fetchone() or (datetime.now(UTC),)
    written = _write(ads, campaigns, load)
    _settle(here, warehouse)
    measured = latency.measure(ads, warehouse, since)
    if measured is None or measured.rows < written:
        sys.exit(
            f"{measured.rows if measured else 0} of {written} rows arrived; check the stream with `promptsales status`"
        )
    figures = " ".join(f"{value:8.1f}" for value in (measured.p50, measured.p95, measured.p99, measured.longest))
    print(f"{load.events_a_second:9} {load.rows:8} {written / load.seconds:9.0f} {figures}")


def _write(ads: psycopg.Connection, campaigns: list[object], load: Load) -> int:
    """Write at an even pace, one transaction after the other; return the number of rows."""
    began, written, turn = time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - began) < load.seconds:
        if written > elapsed * load.events_a_second:
            time.sleep(0.0005)
            continue
        chosen = [campaigns[(turn + offset) % len(campaigns)] for offset in range(load.rows)]
        ads.execute(_INSERT, [chosen])
        written, turn = written + load.rows, turn + load.rows
    return written


def _drain(
    here: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, campaigns: list[object], who: str
) -> None:
    """Write one transaction of many rows, and print how fast Debezium, Kafka and the workers catch up."""
    chosen = [campaigns[turn % len(campaigns)] for turn in range(BACKLOG)]
    ads.execute(_INSERT, [chosen])
    began = time.monotonic()
    _settle(here, warehouse)
    elapsed = time.monotonic() - began
    rate = BACKLOG / elapsed
    print(f"backlog of {BACKLOG} events in one transaction, {who}: applied in {elapsed:.1f} s, {rate:.0f} per second")


def _settle(here: Settings, warehouse: psycopg.Connection) -> None:
    """Wait until the source's log has been read and all events on the bus have been applied."""
    client, end = topics.admin(here.address("kafka")), time.monotonic() + _PATIENCE_S
    with connected(here, connectors.source_of("promptads")) as source:
        target = source.execute("select pg_current_wal_insert_lsn()::text").fetchone()
        while time.monotonic() < end:
            source.execute("select pg_logical_emit_message(false, 'bench', 'now')")
            read = source.execute(
                "select confirmed_flush_lsn > %s::pg_lsn from pg_replication_slots where slot_name = 'promptads'",
                target,
            ).fetchone()
            names = lag.topics("promptads")
            if read == (True,) and not lag.count_waiting(
                lag.read_ends(client, names), lag.read_applied(warehouse, names)
            ):
                return
            time.sleep(0.1)
    sys.exit(f"events still wait after {_PATIENCE_S} s; check the stream with `promptsales status`")


if __name__ == "__main__":
    main()
