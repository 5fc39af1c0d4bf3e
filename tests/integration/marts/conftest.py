"""A warehouse of the marts' tests own, and one Spark session for all of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from promptsales.marts.build import build
from promptsales.marts.plan import Asked
from promptsales.marts.publish import Built
from promptsales.marts.spec import tables
from promptsales.settings import Settings
from tests.integration.provision.conftest import Connect, provisioned

AS_OF = datetime(2024, 3, 11, 5, tzinfo=UTC)
SEEDS = ["calendar", "plan_price", "ai_model"]

Build = Callable[..., dict[str, Built]]


@pytest.fixture(scope="session")
def spark(stack: Settings) -> Iterator[Any]:
    from spark_jobs.session import session

    with session(stack.spark_master, stack.spark_memory, stack.spark_partitions) as found:
        yield found


@pytest.fixture(scope="session")
def connect(stack: Settings) -> Iterator[Connect]:
    """Connects to the warehouse of these tests as a role."""
    with provisioned(stack, "warehouse") as found:
        yield found


@pytest.fixture
def admin(connect: Connect) -> Iterator[psycopg.Connection]:
    """The warehouse, as its administrator; every table empty, but for the seeds."""
    with connect("postgres") as connection:
        found = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('core', 'ops', 'marts', 'realtime') "
            "and tablename <> all(%s)",
            [SEEDS],
        )
        names = [sql.Identifier(*table) for table in found]
        connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(names)))
        yield connection


@pytest.fixture
def run(admin: psycopg.Connection, connect: Connect, stack: Settings, spark: Any) -> Iterator[Build]:
    """Builds marts as the loader, with the tests' Spark; what was published, by mart."""
    with connect("warehouse_loader") as warehouse:

        def run(*names: str, as_of: datetime = AS_OF, zone: str = "UTC", **asked: Any) -> dict[str, Built]:
            wanted, chosen = Asked(as_of, "test", **asked), stack.model_copy(update={"reporting_timezone": zone})
            return {one.mart: one for one in build(names or tables(), warehouse, chosen, wanted, spark)}

        yield run
