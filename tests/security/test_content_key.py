"""A task that hashes prompts has a key with which it cannot test guesses of e-mail addresses and phone numbers."""

import hashlib
import hmac
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from promptsales.cli.load import load_feed
from promptsales.extract.mongo.reader import Content
from promptsales.extract.opening import open_source
from promptsales.extract.sources import Source
from promptsales.load.steps import load
from promptsales.monitoring import doctor
from promptsales.privacy import rotation
from promptsales.provision import provision
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import keys, leads
from tests.support.content import in_core, prompt

LEADS, PROMPTS = contract("leads"), contract("prompts")
ADDRESS, TEXT = "ann@example.com", "Write a poem."


@pytest.fixture(autouse=True)
def first_key(stack: Settings) -> Iterator[None]:
    keys.first_again(stack)
    yield
    keys.first_again(stack)


def digest(key: bytes, domain: str, value: str) -> bytes:
    return hmac.digest(key, f"{domain}\0{value}".encode(), hashlib.sha256)


def master(stack: Settings, kid: int) -> bytes:
    return bytes.fromhex(stack.secrets.password(f"pii_key_{kid}"))


def email_hmac(warehouse: psycopg.Connection) -> bytes:
    ((value,),) = warehouse.execute("select email_hmac from core.leads").fetchall()
    return bytes(value)


def input_hmac(warehouse: psycopg.Connection) -> bytes:
    (row,) = in_core(warehouse, "prompts").values()
    return bytes(row["input_hmac"])


def without_the_key_of_persons(stack: Settings, folder: Path) -> Settings:
    """Return the settings of a process that was given every secret but the key of e-mail and phone."""
    shutil.copytree(stack.state / "secrets", folder / "secrets", ignore=shutil.ignore_patterns("pii_key_*", "airflow"))
    return stack.model_copy(update={"state": folder})


def test_the_key_of_a_task_reproduces_no_hash_of_an_address(
    crm: psycopg.Connection, source: psycopg.Connection, content: Source, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1, email=ADDRESS)
    load(LEADS, source, warehouse, None, "test")
    assert isinstance(content, Content)
    assert digest(content.key.key, "email", ADDRESS) != email_hmac(warehouse)


def test_content_is_loaded_without_the_key_of_persons(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    documents: Database[dict[str, Any]],
    warehouse: psycopg.Connection,
    tmp_path: Path,
) -> None:
    leads.add(crm, 1, email=ADDRESS)
    load(LEADS, source, warehouse, None, "test")
    documents.prompt_history.insert_one(prompt(input_prompt=TEXT))
    task = without_the_key_of_persons(stack, tmp_path)
    with open_source(task, PROMPTS) as opened:
        load(PROMPTS, opened, warehouse, None, "test")
    assert input_hmac(warehouse) == digest(digest(master(stack, 1), "key", "content"), "text", TEXT)
    held = [path.read_text() for path in (tmp_path / "secrets").iterdir()]
    guesses = {digest(bytes.fromhex(text), "email", ADDRESS) for text in held if len(text) == 64}
    assert len(guesses) > 5
    assert email_hmac(warehouse) not in guesses


def test_the_next_rotation_parts_keys_that_an_earlier_release_shared(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    documents: Database[dict[str, Any]],
    warehouse: psycopg.Connection,
) -> None:
    leads.add(crm, 1, email=ADDRESS)
    documents.prompt_history.insert_one(prompt(input_prompt=TEXT))
    stack.secrets.write("pii_content_key_1", master(stack, 1).hex())  # what an earlier release hashed with
    for feed in (LEADS, PROMPTS):
        with open_source(stack, feed) as opened:
            load(feed, opened, warehouse, None, "an earlier release")
    stack.secrets.remove("pii_content_key_1")

    (change,) = provision(stack)
    assert (change.is_warning, "run `promptsales pii rotate`" in change.what) == (True, True)
    assert [finding.what for finding in doctor._schemas(stack)] == [change.what]
    with open_source(stack, PROMPTS) as opened:
        assert load(PROMPTS, opened, warehouse, None, "this release").extracted == 0
    old = input_hmac(warehouse)
    assert old == digest(master(stack, 1), "text", TEXT)

    rotation.rotate(stack, 30, lambda feed: load_feed(feed, None, "test"), lambda step: None)
    new = digest(digest(master(stack, 2), "key", "content"), "text", TEXT)
    assert input_hmac(warehouse) == new
    assert email_hmac(warehouse) == digest(master(stack, 2), "email", ADDRESS)
    bridge = "select new_hmac from ops.pii_bridge where column_name = 'input_hmac' and old_hmac = %s"
    assert warehouse.execute(bridge, [old]).fetchall() == [(new,)]
    assert [path.name for path in (stack.state / "secrets").glob("pii_content_key_*")] == ["pii_content_key_2"]
    assert list(doctor._schemas(stack)) == []
