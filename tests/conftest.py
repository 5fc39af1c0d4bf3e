"""The tests have a stack of their own: its ports and its state are never those of `make run`."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pymongo import MongoClient
from pymongo.database import Database

from promptsales.contracts import contract
from promptsales.extract.sources import Source
from promptsales.settings import Settings, default_state, settings
from promptsales.sources import opened
from tests.support import inbox


def _free_port_base() -> int:
    """The first of a few ranges of ports that nobody listens on."""
    for base in range(22000, 23000, 50):
        with_listener = [port for port in range(base, base + 20) if _is_taken(port)]
        if not with_listener:
            return base
    raise RuntimeError("no free range of ports between 22000 and 23000")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# before anything reads the settings; the child processes of tests inherit it
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-test")
os.environ.setdefault("PROMPTSALES_PORT_BASE", str(_free_port_base()))

# where the stack's Airflow sends its alerts: above the stack's own ports, and nobody listens unless a test does
MAIL_PORT, WEB_PORT = (int(os.environ["PROMPTSALES_PORT_BASE"]) + offset for offset in (18, 19))
os.environ.setdefault("PROMPTSALES_ALERT_MAIL", inbox.mail_address(MAIL_PORT))
os.environ.setdefault("PROMPTSALES_ALERT_WEBHOOK", inbox.web_address(WEB_PORT))


@pytest.fixture(scope="session")
def stack() -> Iterator[Settings]:
    """Every server, started and provisioned by the code of `make run`; gone afterwards."""
    from local.stack import down, up
    from promptsales.provision import provision

    here = settings()
    down(here, remove=True)
    up(here, lambda name, state, seconds: None)
    try:
        provision(here)
        yield here
    finally:
        down(here, remove=True)


@pytest.fixture
def crm(stack: Settings) -> Iterator[psycopg.Connection]:
    """The CRM, as its owner; empty."""
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as connection:
        connection.execute("truncate crm.accounts, crm.contacts, crm.leads, crm.opportunities cascade")
        yield connection


@pytest.fixture
def source(stack: Settings) -> Iterator[psycopg.Connection]:
    """The CRM, as the pipeline sees it."""
    with psycopg.connect(stack.address("promptcrm_etl"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def documents(stack: Settings) -> Iterator[Database[dict[str, Any]]]:
    """PromptContent, as its application; empty."""
    with MongoClient[dict[str, Any]](stack.address("promptcontent"), tz_aware=True) as client:
        database = client.get_default_database()
        for collection in (database.content_assets, database.prompt_history):
            collection.delete_many({})
        yield database


@pytest.fixture
def content(stack: Settings) -> Iterator[Source]:
    """PromptContent, as the pipeline sees it, with the brokers and the key."""
    with opened(stack, contract("prompts")) as source:
        yield source


@pytest.fixture
def admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """The warehouse, as its administrator; every table of core, ops and realtime empty, but for the seeds."""
    with psycopg.connect(stack.address("warehouse_admin"), autocommit=True) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname in ('core', 'ops', 'realtime') and tablename <> all(%s)",
            # what the stream remembers of topics and sources outlives a test, as they do
            [["calendar", "plan_price", "ai_model", "stream_offset", "connector"]],
        )
        names = [sql.Identifier(*table) for table in tables]
        connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(names)))
        yield connection


@pytest.fixture
def warehouse(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The warehouse, as the loader; empty."""
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as connection:
        yield connection
