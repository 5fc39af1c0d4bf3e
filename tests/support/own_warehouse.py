"""Fixtures for tests with a warehouse of their own: they run beside those that use the stack's."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.settings import Settings
from tests.integration.provision.conftest import Connect, provisioned
from tests.support.systems import empty_tables


@pytest.fixture(scope="session")
def connect(stack: Settings) -> Iterator[Connect]:
    """Connects to the warehouse of these tests as a role."""
    with provisioned(stack, "warehouse") as found:
        yield found


@pytest.fixture
def admin(connect: Connect) -> Iterator[psycopg.Connection]:
    """The warehouse, as its administrator; every table empty, but for the seeds."""
    with connect("postgres") as connection:
        empty_tables(connection, "marts")
        yield connection


@pytest.fixture
def warehouse(connect: Connect, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The warehouse, as the loader; empty."""
    with connect("warehouse_loader") as connection:
        yield connection
