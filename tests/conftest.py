"""Fixtures that most tests use: the servers, and each system, empty."""

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
    """Start and provision every server."""
    with running() as settings:
        yield settings


@pytest.fixture
def crm(stack: Settings) -> Iterator[psycopg.Connection]:
    """Empty the CRM and connect as its owner."""
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as connection:
        connection.execute("truncate crm.accounts, crm.contacts, crm.leads, crm.opportunities cascade")
        yield connection


@pytest.fixture
def source(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to the CRM as the pipeline does."""
    with psycopg.connect(stack.address("promptcrm_etl"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def documents(stack: Settings) -> Iterator[Database[dict[str, Any]]]:
    """Empty PromptContent and connect as its application."""
    with MongoClient[dict[str, Any]](stack.address("promptcontent"), tz_aware=True) as client:
        database = client.get_default_database()
        for collection in (database.content_assets, database.prompt_history):
            collection.delete_many({})
        yield database


@pytest.fixture
def content(stack: Settings) -> Iterator[Source]:
    """Open PromptContent as the pipeline does, with the brokers and the key."""
    with open_source(stack, contract("prompts")) as source:
        yield source


@pytest.fixture
def admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """Empty every table of core, ops and realtime except the seeds, and connect as the warehouse's administrator."""
    with emptied_warehouse(stack) as connection:
        yield connection


@pytest.fixture
def warehouse(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Connect to the empty warehouse as the loader."""
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as connection:
        yield connection
