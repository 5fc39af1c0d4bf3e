"""How Faust treats an event that is not processed, on a real broker.

This is why our agent never raises, and acknowledges events itself. When a new version of Faust fails a test here,
review `streams/app.py` and `streams/batches.py`.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from promptsales.bus import topics
from promptsales.kafka_address import client_properties
from promptsales.settings import ROOT, Settings
from tests.faults.faust_alone import AGENTS, BAD, SAID
from tests.support.streaming import wait


class Scenario(NamedTuple):
    """The events sent, the events that reach the agent, and the committed offset."""

    sent: tuple[bytes | None, ...]
    said: tuple[str, ...]
    committed: int


NUMBERS = tuple(b'{"n": %d}' % number for number in range(6))
TEXTS = tuple(number.decode() for number in NUMBERS)
BAD_TEXT = BAD.decode()

TABLE = {
    # lost: acknowledged although it raised; the agent restarts with the next event
    "plain": Scenario((NUMBERS[0], BAD, NUMBERS[1]), (TEXTS[0], BAD_TEXT, TEXTS[1]), 3),
    # lost with its whole batch although it raised; a restarted agent sees the events after it,
    # or no agent does and they are committed all the same, depending on timing
    "taken": Scenario((*NUMBERS[:3], BAD), (*TEXTS[:3], BAD_TEXT), 4),
    # lost on a restart: committed past the one event that was not acknowledged
    "hole": Scenario((*NUMBERS[:2], BAD, *NUMBERS[2:]), (*TEXTS[:2], BAD_TEXT, *TEXTS[2:]), 7),
    # two unacknowledged events: nothing after them is ever committed ..
    "head": Scenario((NUMBERS[0], BAD, BAD, *NUMBERS[1:]), (TEXTS[0], BAD_TEXT, BAD_TEXT, *TEXTS[1:]), 1),
    # .. but they are lost if the group had committed nothing before
    "fresh": Scenario((BAD, BAD, *NUMBERS), (BAD_TEXT, BAD_TEXT, *TEXTS), 8),
    # lost: an event that Faust cannot decode, or a tombstone, counts as processed
    "record": Scenario((NUMBERS[0], b"{not json", NUMBERS[1]), ("0", "1"), 3),
    "tombstone": Scenario((NUMBERS[0], None, NUMBERS[1]), ("0", "1"), 3),
    # lost: every event
    "dictionary": Scenario(NUMBERS[:3], (), 3),
    # a worker finishes its batch after SIGTERM ..
    "ended": Scenario(NUMBERS[:3], ("3 begun", "3 done"), 3),
    # .. unless `stream_wait_empty` is off: then the batch is lost
    "cut-off": Scenario(NUMBERS[:3], ("3 begun",), 3),
}


@pytest.fixture(scope="module")
def client(stack: Settings) -> AdminClient:
    """Return an admin client of the broker."""
    return topics.admin(stack.address("kafka"))


@pytest.fixture(scope="module")
def outputs(stack: Settings, client: AdminClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run every scenario at once, each as its own app; return the folder of their output."""
    folder = tmp_path_factory.mktemp("faust")
    for made in client.create_topics([NewTopic(name, num_partitions=1) for name in TABLE]).values():
        made.result()
    producer = Producer({**client_properties(stack.address("kafka")), "acks": "all"})
    for name, scenario in TABLE.items():
        for value in scenario.sent:
            producer.produce(name, value=value)
    assert producer.flush(30) == 0
    apps = [start(name, folder) for name in TABLE]
    try:
        yield folder
    finally:
        for app in apps:
            app.kill()
            app.wait()
        client.delete_topics(list(TABLE))


def start(name: str, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.faults.faust_alone", name, str(folder)]
    with (folder / name).open("wb") as said, (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=log)


def outcome(client: AdminClient, folder: Path, name: str) -> tuple[tuple[str, ...], int]:
    """Return the events that reached the agent so far, and the group's offset."""
    (found,) = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)]).values()
    offsets = found.result().topic_partitions
    lines = (folder / name).read_text().splitlines()
    said = tuple(line.removeprefix(SAID) for line in lines if line.startswith(SAID))
    return said, offsets[0].offset if offsets else 0


@pytest.mark.parametrize("name", TABLE)
def test_what_is_committed(client: AdminClient, outputs: Path, name: str) -> None:
    expected = TABLE[name].said, TABLE[name].committed
    with suppress(AssertionError):  # the comparison below says more than a timeout
        wait(lambda: outcome(client, outputs, name) == expected, 40)
    assert outcome(client, outputs, name) == expected


def test_nothing_moves_any_more(client: AdminClient, outputs: Path) -> None:
    time.sleep(5)
    found = {name: outcome(client, outputs, name) for name in TABLE}
    assert found == {name: (scenario.said, scenario.committed) for name, scenario in TABLE.items()}


def test_every_scenario_has_an_app() -> None:
    assert AGENTS.keys() == TABLE.keys()
