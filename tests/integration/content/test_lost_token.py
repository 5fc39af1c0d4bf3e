"""An oplog that no longer contains the token, on a real server with a very small oplog."""

import logging
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from local.mongo import mongod
from promptsales.extract.mongo.reader import Content
from promptsales.hashing.hashes import active_key
from promptsales.load.steps import load, preview
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import content as support
from tests.support.content import MORNING, prompt

PROMPTS = contract("prompts")
Client = MongoClient[dict[str, Any]]


def wait_for(client: Client, what: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if client.admin.command("hello")[what]:
                return
        except (PyMongoError, KeyError):
            time.sleep(0.2)
    raise AssertionError(f"the small server is not {what}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Client]:
    """Start a replica set of one whose oplog holds a megabyte."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "dbpath": tmp_path,
        "port": port,
        "bind_ip": "127.0.0.1",
        "replSet": "rs0",
        "oplogSize": 1,
        "syncdelay": 1,  # the server cuts the oplog at its last checkpoint, which it takes once a minute by default
        "wiredTigerCacheSizeGB": 0.25,
    }
    command = [str(mongod()), "--nounixsocket", *(f"--{name}={value}" for name, value in options.items())]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log) as process:
        with Client("127.0.0.1", port, directConnection=True) as client:
            wait_for(client, "ok")
            client.admin.command(
                "replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]}
            )
            wait_for(client, "isWritablePrimary")
            yield client
        process.terminate()


def roll_over(client: Client) -> None:
    """Write until the oplog starts after the current time."""
    began = client.admin.command("ping")["operationTime"]
    oplog = client.local["oplog.rs"]
    for _ in range(300):
        client.elsewhere.filler.insert_many([{"filler": "x" * 100_000} for _ in range(20)])
        if (oplog.find_one(sort=[("$natural", 1)]) or {})["ts"] > began:
            return
        time.sleep(0.1)
    raise AssertionError("the oplog was not cut")


def test_lost_token(
    stack: Settings, small: Client, warehouse: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    source = Content(small, stack.address("kafka_content"), active_key(stack.state / "secrets", "pii_content_key"))
    history = small["promptcontent"].prompt_history
    now = small.admin.command("hello")["localTime"]
    history.insert_many([prompt(_id="old", timestamp=MORNING), prompt(_id="recent", timestamp=now)])
    assert load(PROMPTS, source, warehouse, None, "test").inserted == 2
    history.update_one({"_id": "recent"}, {"$set": {"tool": "changed"}})
    history.insert_one(prompt(_id="new", timestamp=now.isoformat()))
    roll_over(small)

    with caplog.at_level(logging.WARNING):
        result = load(PROMPTS, source, warehouse, None, "test")
    # read by the cursor with its look-back: the old document is not read again
    assert (result.extracted, result.inserted, result.updated) == (2, 1, 1)
    assert "the change stream of promptcontent.prompt_history cannot be resumed" in caplog.text
    assert result.complete_through is None
    support.assert_equal_to_source(small["promptcontent"], warehouse, stack, "prompts")
    (held_by,) = warehouse.execute("select held_by from ops.feed").fetchone() or ("",)
    assert "the next reconciliation finds the deletes in between" in held_by

    # the stream continues, but deletes in the gap stay unknown until the collections are compared
    history.delete_one({"_id": "new"})
    assert load(PROMPTS, source, warehouse, None, "test").complete_through is None
    assert support.in_core(warehouse, "prompts", deleted=True).keys() == {"new"}
    reconcile(PROMPTS, source, warehouse, "test", Limits())
    assert preview(PROMPTS, source, warehouse, None).complete_through is not None
    assert load(PROMPTS, source, warehouse, None, "test").complete_through is not None


def test_dropped_collection(
    stack: Settings, small: Client, warehouse: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    source = Content(small, stack.address("kafka_content"), active_key(stack.state / "secrets", "pii_content_key"))
    history = small["promptcontent"].prompt_history
    history.insert_one(prompt(_id="one", timestamp=small.admin.command("hello")["localTime"]))
    load(PROMPTS, source, warehouse, None, "test")
    history.drop()
    history.insert_one(prompt(_id="two", timestamp=small.admin.command("hello")["localTime"]))
    with caplog.at_level(logging.WARNING):
        assert load(PROMPTS, source, warehouse, None, "test").inserted == 1
    assert "cannot be resumed" in caplog.text
    assert load(PROMPTS, source, warehouse, None, "test").extracted == 0
