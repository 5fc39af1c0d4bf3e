"""Workers share the partitions: what one does to the others when it leaves, or is killed and restarted."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from promptsales.bus import topics
from promptsales.settings import ROOT, Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.gaps import GROUP
from tests.support.streaming import wait

pytestmark = pytest.mark.usefixtures("following")

# everything is imported before the worker is asked to start, so that it joins well within the session of the killed one
_START = "import streams.__main__ as worker; print('ready', flush=True); input(); worker.main()"


def test_a_worker_that_is_stopped_leaves_the_group(stack: Settings) -> None:
    with second_worker(stack) as second:
        assert count_members(stack) == 2
        second.terminate()
        assert second.wait(60) == 0
        # the broker does not wait for the end of its session
        assert count_members(stack) == 1
    wait(lambda: health(stack, 0)["partitions"] == count_partitions(stack))


def test_a_worker_that_is_killed_and_restarted_does_not_stop_the_others(stack: Settings) -> None:
    with second_worker(stack) as second, ready_worker() as third:
        mine, before = health(stack, 1)["partitions"], health(stack, 0)
        second.kill()
        second.wait()
        start(third, stack)
        assert health(stack, 1)["partitions"] == mine
        after = health(stack, 0)
        assert (after["rebalances"], after["partitions"]) == (before["rebalances"], before["partitions"])


@contextmanager
def ready_worker() -> Iterator[subprocess.Popen[bytes]]:
    """Start the process of worker 1, which waits to be started; it leaves the group when the block ends."""
    command = [sys.executable, "-c", _START, "1"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        try:
            assert worker.stdout
            assert worker.stdout.readline() == b"ready\n"
            yield worker
        finally:
            worker.terminate()


def start(worker: subprocess.Popen[bytes], stack: Settings) -> None:
    """Start a ready worker, and wait until it has partitions."""
    assert worker.stdin
    worker.stdin.write(b"\n")
    worker.stdin.flush()
    wait(lambda: health(stack, 1)["partitions"] > 0)


@contextmanager
def second_worker(stack: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run worker 1 until the block ends."""
    with ready_worker() as worker:
        start(worker, stack)
        yield worker


def health(stack: Settings, number: int) -> dict[str, Any]:
    """Return what a worker's health page says; a worker that does not answer has no partitions."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{stack.port('stream') + number}/health/", trust_env=False)
    except httpx.HTTPError:
        return {"partitions": 0}
    report: dict[str, Any] = answer.json()
    return report


def count_members(stack: Settings) -> int:
    """Return how many workers the broker counts in the group."""
    client = topics.admin(stack.address("kafka"))
    return len(client.describe_consumer_groups([GROUP])[GROUP].result().members)


def count_partitions(stack: Settings) -> int:
    """Return how many partitions all workers have."""
    known = topics.admin(stack.address("kafka")).list_topics(timeout=10).topics
    return sum(len(known[contract.topic].partitions) for contract in stream_contracts().values())
