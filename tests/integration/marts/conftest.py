"""A warehouse for the tests of marts, and one Spark session for all of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from promptsales.marts.build import build
from promptsales.marts.plan import BuildRequest
from promptsales.marts.publish import Built
from promptsales.settings import Settings
from promptsales.specs.mart import tables
from spark_jobs import jobs
from tests.integration.provision.conftest import Connect
from tests.support.own_warehouse import admin, connect

__all__ = ["admin", "connect"]

AS_OF = datetime(2024, 3, 11, 5, tzinfo=UTC)

Build = Callable[..., dict[str, Built]]


@pytest.fixture(scope="session")
def spark(stack: Settings) -> Iterator[Any]:
    from spark_jobs.session import session

    with session(stack.spark_master, stack.spark_memory, stack.spark_partitions) as spark_session:
        yield spark_session


@pytest.fixture
def run(admin: psycopg.Connection, connect: Connect, stack: Settings, spark: Any) -> Iterator[Build]:
    """Return a function that builds marts as the loader and returns the results by mart."""
    with connect("warehouse_loader") as warehouse:

        def run(*names: str, as_of: datetime = AS_OF, zone: str = "UTC", **asked: Any) -> dict[str, Built]:
            request, settings = (
                BuildRequest(as_of, "test", **asked),
                stack.model_copy(update={"reporting_timezone": zone}),
            )
            return {
                result.mart: result for result in build(names or tables(), warehouse, settings, request, jobs, spark)
            }

        yield run
