"""A stack with sample data, loaded and built as a user would, and Superset on it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from local.superset import address_of, superset
from promptsales.settings import Settings, settings
from promptsales.specs.feed import contracts
from tests.support.servers import SHARED, started

PATIENCE_S = 120


@pytest.fixture(scope="session")
def stack() -> Iterator[Settings]:
    """Start what the dashboards need: nothing here asks Airflow."""
    if os.environ.get(SHARED):
        yield settings()
        return
    with started(settings(), without=("airflow",)) as stack:
        yield stack


@pytest.fixture(scope="session")
def built(stack: Settings) -> Settings:
    """Seed every system, load every feed, stream every table and build every mart."""
    _promptsales("seed")
    _promptsales("connectors", "apply")
    _promptsales("load", *contracts())
    _wait_for_the_stream(stack)
    _promptsales("build")
    return stack


def _promptsales(*words: str) -> None:
    subprocess.run([Path(sys.executable).with_name("promptsales"), *words], check=True)


def _wait_for_the_stream(stack: Settings) -> None:
    """Wait until every streamed table holds what was committed at the sources before now."""
    deadline, now = time.monotonic() + PATIENCE_S, datetime.now(UTC)
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as connection:
        query = "select bool_and(coalesce(complete_through > %s, false)) from ops.feed where topic is not null"
        while connection.execute(query, [now]).fetchone() != (True,):
            assert time.monotonic() < deadline, "the stream did not get that far"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def address(built: Settings) -> Iterator[str]:
    """Yield the address of a Superset that has imported `bi/`."""
    with superset(built):
        yield address_of(built)


@pytest.fixture(scope="session")
def api(address: str, built: Settings) -> Iterator[httpx.Client]:
    """Yield a client of Superset's API, logged in as its administrator."""
    login = {"username": "admin", "password": built.secrets.password("superset_admin"), "provider": "db"}
    with httpx.Client(base_url=f"{address}/api/v1/", trust_env=False, timeout=60) as client:
        token = client.post("security/login", json=login).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        client.headers["X-CSRFToken"] = client.get("security/csrf_token/").raise_for_status().json()["result"]
        yield client


@pytest.fixture
def core(built: Settings) -> Iterator[psycopg.Connection]:
    """Connect to the warehouse as its administrator, for SQL of the tests' own."""
    with psycopg.connect(built.address("warehouse"), autocommit=True) as connection:
        yield connection
