"""Databases of one test module: created by the code under test and dropped afterwards, so no other test sees them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from promptsales.provision import provision_database
from promptsales.provision.cluster import database_steps
from promptsales.provision.lines import Database
from promptsales.settings import Settings
from promptsales.specs.cluster import Cluster, read_cluster_spec

KEY = bytes(range(7, 39))

Connect = Callable[[str], psycopg.Connection]


@contextmanager
def database(stack: Settings, system: Database) -> Iterator[Connect]:
    """Create an empty database like that of a system; yield a function that connects to it as a role, in autocommit."""
    cluster: Cluster = "warehouse" if system == "warehouse" else "sources"
    admin = stack.address("warehouse_admin" if system == "warehouse" else "sources_admin")
    name, opened = f"scratch_{uuid.uuid4().hex}", []

    def connect(role: str) -> psycopg.Connection:
        login: dict[str, Any] = {"user": role, "password": stack.secrets.password(role)}
        opened.append(psycopg.connect(make_conninfo(admin, dbname=name, **login), autocommit=True))
        return opened[-1]

    with psycopg.connect(make_conninfo(admin, dbname="postgres"), autocommit=True) as outside:
        for step in database_steps(cluster, name, read_cluster_spec(cluster).databases[system], None):
            outside.execute(step.statement)
        try:
            yield connect
        finally:
            for connection in opened:
                connection.close()
            outside.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


Scratch = Callable[[Database], AbstractContextManager[Connect]]


@pytest.fixture(scope="session")
def scratch(stack: Settings) -> Scratch:
    return lambda system: database(stack, system)


@contextmanager
def provisioned(stack: Settings, system: Database) -> Iterator[Connect]:
    """Provision a database like that of a system; sources hash with ``KEY``."""
    with database(stack, system) as connect:
        with connect("postgres") as admin:
            provision_database(admin, system, {} if system == "warehouse" else {1: KEY}, log_in=connect)
        yield connect


@pytest.fixture(scope="module")
def crm_copy(stack: Settings) -> Iterator[Connect]:
    """Provision a CRM for the module; yield a function that connects to it as a role."""
    with provisioned(stack, "promptcrm") as connect:
        yield connect


@pytest.fixture(scope="module")
def promptsales_copy(stack: Settings) -> Iterator[Connect]:
    with provisioned(stack, "promptsales") as connect:
        yield connect


@pytest.fixture(scope="module")
def warehouse_copy(stack: Settings) -> Iterator[Connect]:
    with provisioned(stack, "warehouse") as connect:
        yield connect
