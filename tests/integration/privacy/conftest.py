"""Tests in this folder change the hashing key; each begins and ends with the first one."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import keys, leads


@pytest.fixture(autouse=True)
def first_key(stack: Settings) -> Iterator[None]:
    keys.first_again(stack)
    yield
    keys.first_again(stack)


@pytest.fixture
def family(crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection) -> dict[str, uuid.UUID]:
    """Add Ann twice under her address, once under her phone, once in quarantine; and Bob."""
    persons = {
        "ann": leads.add(crm, 1, email="ann@example.com", phone="1")[0],
        "again": leads.add(crm, 1, email="ANN@example.com ")[0],
        "phone": leads.add(crm, 1, email="ann@work.example", phone="+1")[0],
        "bad": leads.add(crm, 1, email="ann@example.com", created_at="2999-01-01")[0],
        "bob": leads.add(crm, 1, email="bob@example.com", phone="2")[0],
    }
    crm.execute("update crm.leads set merged_into_id = %(ann)s where id = %(bob)s", persons)
    load(contract("leads"), source, warehouse, None, "test")
    crm.execute("update crm.leads set status = 'working' where id = %(ann)s", persons)
    load(contract("leads"), source, warehouse, None, "test")
    return persons
