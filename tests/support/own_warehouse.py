"""Fixtures for tests with a warehouse of their own, which run in parallel with those that use the stack's."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.settings import Settings
from tests.integration.provision.conftest import Connect, provisioned
from tests.support.systems import empty_tables


@pytest.fixture(scope="session")
def connect(stack: Settings) -> Iterator[Connect]:
    """Return a function that connects to this warehouse as a role."""
    with provisioned(stack, "warehouse") as connect_as:
        yield connect_as


@pytest.fixture
def admin(connect: Connect) -> Iterator[psycopg.Connection]:
    """Empty every table except the seeds, and connect as the warehouse's administrator."""
    with connect("postgres") as connection:
        empty_tables(connection, "marts")
        yield connection


@pytest.fixture
def warehouse(connect: Connect, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Connect to the empty warehouse as the loader."""
    with connect("warehouse_loader") as connection:
        yield connection
