"""The real worker says in one line why it cannot connect, and where to correct it: as every other part does."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.connections import open_async
from promptsales.errors import ConfigError, PipelineError, TransientError
from promptsales.settings import ROOT, Settings
from promptsales.stream.batch import Batch, Offset
from promptsales.stream.dead_letters import DeadLetter
from streams.delivery import Delivery
from tests.support.refusals import SECRET, environment, with_address

WHERE = "PROMPTSALES_DSN__WAREHOUSE"
PATIENCE_S = 120
# what is wrong with the address, and the worker's message
FAULTS: list[tuple[dict[str, Any], str]] = [
    (
        {"password": SECRET},
        "connection warehouse: the server at 127.0.0.1:{port}, user warehouse_loader, database warehouse, refuses the "
        f"password, or does not know the user; correct user, password or database in {WHERE}",
    ),
    (
        {"host": "no.invalid"},
        "connection warehouse: host no.invalid is unknown, for port {port} (user warehouse_loader); correct the host "
        f"in {WHERE}",
    ),
    (
        {"port": 1},
        "connection warehouse: 127.0.0.1:1 refuses the connection, as nothing listens on that port (user "
        f"warehouse_loader); start the server (`promptsales up` starts the local ones), or correct the port in {WHERE}",
    ),
    (
        {"host": "255.255.255.255", "connect_timeout": 2},
        "connection warehouse: 255.255.255.255:{port} is unreachable (user warehouse_loader); check network and "
        f"firewall, or correct the host in {WHERE}",
    ),
]
NAMES = ["wrong password", "unknown host", "refused port", "unreachable server"]


@contextmanager
def worker(stack: Settings, address: str) -> Iterator[Iterator[str]]:
    """Start a worker with another address of the warehouse; yield the lines of its log."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streams", "7"], cwd=ROOT, env={**environment(stack), WHERE: address},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    timer = threading.Timer(PATIENCE_S, process.kill)
    timer.start()
    try:
        yield iter(process.stdout)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(("changed", "text"), FAULTS, ids=NAMES)
def test_a_worker_that_starts(stack: Settings, changed: dict[str, Any], text: str) -> None:
    address = make_conninfo(stack.address("warehouse"), **changed)
    with worker(stack, address) as lines:
        line = next((line for line in lines if "connection warehouse" in line), "the worker ended without a word")
    assert line.rstrip().endswith(f"waiting: {text.format(port=stack.port('warehouse'))}")
    assert SECRET not in line


class _Waited(Exception):
    """The delivery has waited once."""


@pytest.mark.parametrize(("changed", "text"), FAULTS, ids=NAMES)
def test_a_worker_whose_batch_waits(
    stack: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any],
    text: str,
) -> None:  # fmt: skip
    """A refused login ends the worker with the same message; any other cause is logged, and the batch is retried."""
    elsewhere = with_address(stack, "warehouse", make_conninfo(stack.address("warehouse"), **changed))

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await open_async(elsewhere, "warehouse", "look")

    async def bury(letter: DeadLetter) -> None:
        raise AssertionError(letter)

    async def give_up(seconds: float) -> None:
        raise _Waited

    monkeypatch.setattr("streams.delivery.asyncio.sleep", give_up)
    batch = Batch((), (), (Offset("no.such.topic", 0, 0, 1, None, None, 0),))
    with pytest.raises((_Waited, PipelineError)) as caught:
        asyncio.run(Delivery(connect, bury, 1).deliver(batch))
    message = text.format(port=stack.port("warehouse"))
    if "password" in changed:
        assert (type(caught.value), str(caught.value)) == (ConfigError, message)
    else:
        assert f"a batch waits: {message}; retrying in 0.05 s" in caplog.text
    assert SECRET not in caplog.text


def test_an_address_stored_in_airflow(stack: Settings) -> None:
    """The page's releases open such an address."""
    stored = {"host": "127.0.0.1", "port": 1, "user": "warehouse_loader", "password": SECRET, "dbname": "warehouse"}
    with pytest.raises(TransientError) as caught:
        asyncio.run(open_async(stack, "warehouse", address=stored))
    assert str(caught.value) == (
        "connection warehouse: 127.0.0.1:1 refuses the connection, as nothing listens on that port (user "
        "warehouse_loader); start the server (`promptsales up` starts the local ones), or correct the port in "
        "the Airflow connection warehouse (Admin > Connections)"
    )
