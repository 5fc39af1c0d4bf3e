"""Measure the stream on the running stack: ``make bench-stream``. Each line is one load.

Latency is from the commit at the source to the commit in the warehouse, both by the servers' own commit times. The load
generator runs on the same machine. Cost is the CPU time of every process of the stack and of the generator, also of
those that do nothing for the stream. The rows are measurements of the sample data's campaigns, and stay there.

``make bench-stream HOURS=1`` runs one load for so long instead (`bench/endurance.py`).
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Timer

import httpx
import psycopg
from tenacity import Retrying, TryAgain, stop_after_delay, wait_fixed

from bench import endurance
from bench.cpu import Cores, in_words
from bench.traffic import PATIENCE_S, Load, read_campaigns, settle, write, write_once
from promptsales.connections import connected
from promptsales.monitoring import latency
from promptsales.settings import ROOT, Settings, settings

LOADS = (Load(2_000, 5, 15), Load(1_000, 1, 15), Load(6_000, 20, 15))
# while it is written, a worker joins the group and leaves it
SHARED = Load(1_000, 5, 40)
BACKLOG = 100_000
_IDLE_S = 20


def main() -> None:
    """Run every load and a backlog, and print a table; with ``--hours`` run one load for so long."""
    parser = argparse.ArgumentParser(description="measure the stream on the running stack")
    parser.add_argument("--hours", type=float, help="run one load for so many hours, or a fraction of one")
    here, hours = settings(), parser.parse_args().hours
    print(f"{platform.platform()}, {os.cpu_count()} cores, shared with the load generator")
    with connected(here, "promptads") as ads, connected(here, "warehouse") as warehouse:
        campaigns = read_campaigns(ads)
        if hours:
            endurance.run(here, ads, warehouse, campaigns, hours)
        else:
            _run(here, ads, warehouse, campaigns)


def _run(here: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, campaigns: list[object]) -> None:
    _idle(here)
    print(f"{'events/s':>9} {'rows/tx':>8} {'reached':>9} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for load in LOADS:
        _measure(here, ads, warehouse, campaigns, load)
    print("while a second worker joins and leaves:")
    with _second_worker(leaves_after_s=SHARED.seconds / 2):
        _measure(here, ads, warehouse, campaigns, SHARED)
    _drain(here, ads, warehouse, campaigns, "one worker")
    with _second_worker():
        _wait_for_second(here)
        _drain(here, ads, warehouse, campaigns, "two workers")


def _idle(here: Settings) -> None:
    """Print which share of a core the stack takes while nothing is written."""
    cores = Cores(here.state)
    time.sleep(_IDLE_S)
    passed, used = cores.used()
    print(f"idle: {sum(used.values()) / passed:.0%} of a core; in percent: {in_words(used, passed / 100, 1)}")


@contextmanager
def _second_worker(leaves_after_s: float = 3600) -> Iterator[None]:
    """Run a second worker; it is stopped after so many seconds, or when the block ends."""
    with subprocess.Popen([sys.executable, "-m", "streams", "1"], cwd=ROOT, stderr=subprocess.DEVNULL) as worker:
        timer = Timer(leaves_after_s, worker.terminate)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            worker.terminate()


def _wait_for_second(here: Settings) -> None:
    """Wait until the second worker has partitions."""
    address = f"http://127.0.0.1:{here.port('stream') + 1}/health/"
    Retrying(stop=stop_after_delay(PATIENCE_S), wait=wait_fixed(0.5))(_check_partitions, address)


def _check_partitions(address: str) -> None:
    if not httpx.get(address, trust_env=False).json()["partitions"]:
        raise TryAgain


def _measure(
    here: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, campaigns: list[object], load: Load
) -> None:
    (since,) = ads.execute("select clock_timestamp()").fetchone() or (datetime.now(UTC),)
    cores = Cores(here.state)
    written = write(ads, campaigns, load)
    settle(here, warehouse)
    _, used = cores.used()
    measured = latency.measure(ads, warehouse, since)
    if measured is None or measured.rows < written:
        sys.exit(
            f"{measured.rows if measured else 0} of {written} rows arrived; check the stream with `promptsales status`"
        )
    figures = " ".join(f"{value:8.1f}" for value in (measured.p50, measured.p95, measured.p99, measured.longest))
    print(f"{load.events_a_second:9} {load.rows:8} {written / load.seconds:9.0f} {figures}")
    thousands = written / 1_000
    print(f"  core seconds per 1,000 events: {sum(used.values()) / thousands:.2f}; {in_words(used, thousands, 2)}")


def _drain(
    here: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, campaigns: list[object], who: str
) -> None:
    """Write one transaction of many rows, and print how fast Debezium, Kafka and the workers catch up."""
    write_once(ads, [campaigns[turn % len(campaigns)] for turn in range(BACKLOG)])
    began = time.monotonic()
    settle(here, warehouse)
    elapsed = time.monotonic() - began
    rate = BACKLOG / elapsed
    print(f"backlog of {BACKLOG} events in one transaction, {who}: applied in {elapsed:.1f} s, {rate:.0f} per second")


if __name__ == "__main__":
    main()
