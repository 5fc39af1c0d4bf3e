"""Measure builds of marts: Spark's start, one touched day, the same with ten times the history, and plain SQL.

It uses a temporary database with generated rows on the warehouse server of the running stack. ``stack`` as an argument
measures the marts of the stack's own warehouse instead, with whole processes: one touched day, and a full build.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from promptsales.marts.build import build
from promptsales.marts.plan import BuildRequest
from promptsales.provision import provision_database
from promptsales.settings import Settings, settings
from promptsales.specs.mart import tables
from spark_jobs import jobs

NAME = "bench_marts"
AS_OF = datetime(2024, 3, 11, 5, tzinfo=UTC)
DAY = "2024-03-09"
REPEATS = 3
METRICS_A_DAY = 2_000
TOUCHED = ("campaign_metrics", "ad_metrics", "leads", "opportunities", "opportunity_stage_history", "content_assets",
           "prompts", "subscriptions")  # fmt: skip

_METRICS = """
insert into core.campaign_metrics (metric_id, campaign_id, metric_at, impressions, clicks, spend, conversions,
                                   updated_at, is_deleted, src_epoch, src_lsn, src_is_snapshot, _loaded_at)
select %(base)s + row_number() over (), md5((n %% 50)::text)::uuid, d + n * interval '40 seconds', n %% 900, n %% 30,
       (n %% 7000) / 100.0, n %% 3, d, false, 1, 1, false, d
from generate_series(%(from)s::timestamptz, %(to)s::timestamptz, '1 day') d, generate_series(1, %(rows)s) n
"""
_SQL = """
create temp table plain as
select campaign_id, (metric_at at time zone 'UTC')::date as day, sum(impressions) as impressions, sum(clicks) as clicks,
       sum(spend) as spend, sum(conversions) as conversions
from core.campaign_metrics where not is_deleted group by 1, 2
"""


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that the work takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def of_the_stack() -> None:
    """Print the time of `promptsales build` on the stack's own rows; the values of its marts stay the same."""
    address = settings().address("warehouse_admin")
    with psycopg.connect(make_conninfo(address, dbname="warehouse"), autocommit=True) as admin:
        (rows,) = admin.execute("select sum(n_live_tup) from pg_stat_user_tables where schemaname = 'core'").fetchall()
        print(f"rows in core: {rows[0]:,}")
        # first, so that the marts exist and the day is all there is to build
        _process("all marts, full build", "--full")
        for _ in range(REPEATS):
            (days,) = admin.execute(
                "select (max(closed_at) at time zone 'UTC')::date from core.opportunities"
            ).fetchall()
            for core_table in TOUCHED:
                _touch(admin, core_table, days[0])
            _process("all marts, one touched day")


def _process(what: str, *options: str) -> None:
    command = [str(Path(sys.executable).with_name("promptsales")), "build", *options]
    taken = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    print(f"{what:<38} {taken:6.1f} s at load {os.getloadavg()[0]:.1f}", flush=True)


def _touch(admin: psycopg.Connection, core_table: str, day: object) -> None:
    admin.execute(
        "insert into ops.touched (core_table, entity_id, day) values (%s, %s, %s) "
        "on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()",
        [core_table, "00000000-0000-0000-0000-000000000000", day],
    )


def main(largest: int) -> None:
    """Print the figures; ``largest`` is the largest number of metrics in the comparison with plain SQL."""
    here = settings()
    outside = make_conninfo(here.address("warehouse_admin"), dbname="postgres")
    with psycopg.connect(outside, autocommit=True) as server:
        server.execute(f"drop database if exists {NAME} with (force)")
        server.execute(f"create database {NAME}")
        server.execute(f"grant connect on database {NAME} to warehouse_loader")
        server.execute(f"grant create, temporary on database {NAME} to warehouse_owner")
        try:
            _measure(here, largest)
        finally:
            server.execute(f"drop database {NAME} with (force)")


def _measure(here: Settings, largest: int) -> None:
    from spark_jobs.session import session

    admin = psycopg.connect(make_conninfo(here.address("warehouse_admin"), dbname=NAME), autocommit=True)
    loader = psycopg.connect(make_conninfo(here.address("warehouse"), dbname=NAME), autocommit=True)
    with admin, loader:
        provision_database(admin, "warehouse")
        admin.execute(_METRICS.encode(), {"base": 0, "from": "2024-02-01", "to": "2024-03-10", "rows": METRICS_A_DAY})
        began = time.monotonic()
        with session(here.spark_master, here.spark_memory, here.spark_partitions) as spark:
            spark.sql("select 1").collect()
            print(f"Spark's start                          {time.monotonic() - began:6.1f} s")

            def run(*names: str) -> None:
                build(names or tables(), loader, here, BuildRequest(AS_OF, "bench"), jobs, spark)

            print(f"all marts, first build                 {timed(run):6.1f} s")
            _one_day(admin, run, "one day, 39 days of history")
            values = {"base": 10_000_000, "from": "2023-01-09", "to": "2024-01-31", "rows": METRICS_A_DAY}
            admin.execute(_METRICS.encode(), values)
            admin.execute("update ops.mart set touched_through = clock_timestamp()")
            _one_day(admin, run, "one day, ten times the history")
            _against_sql(admin, run, largest)


def _one_day(admin: psycopg.Connection, run: Callable[..., None], what: str) -> None:
    admin.execute("vacuum analyze core.campaign_metrics")
    marts = len(tables())

    def once() -> float:
        for core_table in TOUCHED:
            _touch(admin, core_table, DAY)
        return timed(run)

    taken = [once() for _ in range(REPEATS)]
    median = statistics.median(taken)
    print(f"{what:<38} {median:6.1f} s for {marts} marts, {median / marts:.2f} s per mart")


def _against_sql(admin: psycopg.Connection, run: Callable[..., None], largest: int) -> None:
    rows, base = 100_000, 100_000_000
    while rows <= largest:
        admin.execute("truncate core.campaign_metrics")
        values = {"base": base, "from": "2024-02-01", "to": "2024-03-10", "rows": rows // 39}
        admin.execute(_METRICS.encode(), values)
        admin.execute("vacuum analyze core.campaign_metrics")
        admin.execute("delete from ops.mart where mart = 'campaign_performance_daily'")
        spark_s = timed(lambda: run("campaign_performance_daily"))
        sql_s = timed(lambda: admin.execute(_SQL.encode()))
        admin.execute("drop table plain")
        print(f"a mart of {rows:>10,} rows: Spark {spark_s:6.1f} s, its sums in plain SQL {sql_s:6.1f} s")
        rows *= 10


if __name__ == "__main__":
    if sys.argv[1:] == ["stack"]:
        of_the_stack()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
