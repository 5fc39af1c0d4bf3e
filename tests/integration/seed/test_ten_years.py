"""Ten years of sample data: a full build and builds by touched days in random order give the same marts."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from promptsales.cli.load import load_feed
from promptsales.marts.build import build
from promptsales.marts.plan import BuildRequest
from promptsales.marts.publish import Built
from promptsales.seed import seed
from promptsales.seed.world import Size
from promptsales.settings import Settings
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts
from spark_jobs import jobs
from tests.integration.marts.test_marts import differing
from tests.support import systems
from tests.support.streaming import followed, settle

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
LAST_DAY = date(2025, 12, 31)
BATCHES = 2


@pytest.fixture
def ten_years(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Load and stream ten years of sample data into core; connect as the warehouse's administrator."""
    systems.empty(stack)
    with followed(stack):
        seed(stack, Size.SMALL, ANCHOR, days=3_652)
        for contract in contracts().values():
            load_feed(contract, None, "test")
        settle(stack)
    yield admin
    systems.empty(stack)


def test_every_mart(stack: Settings, ten_years: psycopg.Connection) -> None:
    from spark_jobs.session import session

    admin, touched = ten_years, touched_days(ten_years)
    with session(stack.spark_master, stack.spark_memory, stack.spark_partitions) as spark:

        def run(is_full: bool) -> dict[str, Built]:
            request = BuildRequest(ANCHOR + timedelta(hours=5), "test", is_full=is_full)
            with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
                return {result.mart: result for result in build(tables(), warehouse, stack, request, jobs, spark)}

        assert {name for name, result in run(is_full=True).items() if result.staged} == tables().keys()
        assert differing(admin, LAST_DAY) == {}
        (first, last) = admin.execute(
            "select min(date_day), max(date_day) from marts.campaign_performance_daily"
        ).fetchall()[0]
        assert (first.year, last) == (2016, LAST_DAY)
        for name in tables():
            admin.execute(sql.SQL("truncate {}").format(sql.Identifier("marts", name)))
        random.Random(7).shuffle(touched)  # noqa: S311 - a test's dice
        for number in range(BATCHES):
            touch(admin, touched[number::BATCHES])
            load_again(admin, number)
            assert {result.is_full for result in run(is_full=False).values()} == {False}
        assert differing(admin, LAST_DAY) == {}


def touched_days(admin: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Return the days that the loads and the stream have touched."""
    query = "select core_table, entity_id, day from ops.touched order by core_table, entity_id, day"
    return admin.execute(query).fetchall()


def load_again(admin: psycopg.Connection, number: int) -> None:
    """Mark some rows of each table of core as just loaded, so that the marts rebuild days of campaigns and deals."""
    query = sql.SQL("""
        update core.{table} set _loaded_at = clock_timestamp() where hashtextextended({key}::text, 7) & {all} = {number}
    """)
    for table, key in {**{c.table: c.key for c in contracts().values()}, **streamed()}.items():
        admin.execute(
            query.format(table=sql.Identifier(table), key=sql.Identifier(key), all=BATCHES - 1, number=number)
        )


def streamed() -> dict[str, str]:
    return {c.table: c.key for c in stream_contracts().values() if c.layer == "core"}


def touch(admin: psycopg.Connection, days: list[tuple[Any, ...]]) -> None:
    with admin.cursor() as cursor:
        cursor.executemany(
            "insert into ops.touched values (%s, %s, %s, clock_timestamp()) on conflict (core_table, entity_id, day) "
            "do update set touched_at = excluded.touched_at",
            days,
        )
