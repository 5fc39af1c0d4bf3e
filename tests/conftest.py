"""What most tests stand on: the servers, and each system, empty."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from promptsales.extract.opening import open_source
from promptsales.extract.sources import Source
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support.servers import running
from tests.support.systems import emptied_warehouse


@pytest.fixture(scope="session")
def stack() -> Iterator[Settings]:
    """Every server, provisioned."""
    with running() as found:
        yield found


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
    with open_source(stack, contract("prompts")) as source:
        yield source


@pytest.fixture
def admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """The warehouse, as its administrator; every table of core, ops and realtime empty, but for the seeds."""
    with emptied_warehouse(stack) as connection:
        yield connection


@pytest.fixture
def warehouse(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The warehouse, as the loader; empty."""
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as connection:
        yield connection
