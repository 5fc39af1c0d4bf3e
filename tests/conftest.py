"""The tests have a stack of their own: its ports and its state are never those of `make run`."""

import os
import socket
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from promptsales.settings import Settings, default_state, settings


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
def admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """The warehouse, as its administrator; every table of core, ops and realtime empty."""
    with psycopg.connect(stack.address("warehouse_admin"), autocommit=True) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('core', 'ops', 'realtime')"
        )
        names = [sql.Identifier(*table) for table in tables]
        connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(names)))
        yield connection


@pytest.fixture
def warehouse(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The warehouse, as the loader; empty."""
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as connection:
        yield connection
