"""Kafka removes events that no worker has applied: completeness stands until a snapshot, which closes the gap."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from local.supervisor import Supervisor
from promptsales import bus, connectors, stream_lag
from promptsales.doctor import diagnose
from promptsales.errors import TerminalError
from promptsales.orchestration import stream
from promptsales.settings import Settings
from promptsales.stream_gaps import GROUP
from tests.support.streaming import assert_equal_to_the_source, settle, wait

WORKER = "stream-0"
TOPIC = "promptads.promptads.campaigns"
_RENAME = "update promptads.campaigns set name = 'renamed while nobody applied it'"


@pytest.fixture
def stopped(stack: Settings, following: None) -> Iterator[Supervisor]:
    """All is applied, and the worker is stopped; afterwards it runs."""
    settle(stack)
    supervisor = Supervisor(stack.state)
    supervisor.stop({WORKER}, 60)
    yield supervisor
    supervisor.start(WORKER)


def renamed(stack: Settings) -> dict[tuple[str, int], int]:
    """Rename every campaign; the ends of the topic once Debezium has sent that."""
    client = bus.admin(stack.address("kafka"))
    before = sum(stream_lag.ends(client, [TOPIC]).values())
    with psycopg.connect(stack.address("promptads"), autocommit=True) as source:
        count = source.execute(_RENAME).rowcount
    wait(lambda: sum(stream_lag.ends(client, [TOPIC]).values()) == before + count)
    return stream_lag.ends(client, [TOPIC])


def remove(stack: Settings, ends: dict[tuple[str, int], int]) -> None:
    asked = [TopicPartition(*at, end) for at, end in ends.items()]
    client = bus.admin(stack.address("kafka"))
    for done in client.delete_records(asked).values():
        done.result(30)


def skip(stack: Settings, ends: dict[tuple[str, int], int]) -> None:
    asked = [ConsumerGroupTopicPartitions(GROUP, [TopicPartition(*at, end) for at, end in ends.items()])]
    client = bus.admin(stack.address("kafka"))
    client.alter_consumer_group_offsets(asked)[GROUP].result(30)


def complete_through(warehouse: psycopg.Connection) -> datetime:
    row = warehouse.execute("select complete_through from ops.feed where feed = 'campaigns'").fetchone()
    assert row
    at: datetime = row[0]
    return at


def advice(stack: Settings) -> set[str]:
    return {found.todo for found in diagnose(stack) if found.where == f"topic {TOPIC}"}


@pytest.mark.parametrize("lose", [remove, skip])
def test_events_that_were_never_applied(
    stack: Settings, warehouse: psycopg.Connection, stopped: Supervisor, monkeypatch: pytest.MonkeyPatch, lose: Any
) -> None:
    lose(stack, renamed(stack))
    way_out = "run `promptsales connectors snapshot promptads`: it reads all rows anew, under a new epoch"
    assert advice(stack) == {way_out}
    before = complete_through(warehouse)
    log = stack.state / "logs" / "stream-0.log"
    size = log.stat().st_size
    stopped.start(WORKER)
    wait(lambda: b"promptads is not complete: partition" in log.read_bytes()[size:], 120)
    assert complete_through(warehouse) == before
    assert advice(stack) == {way_out}
    monkeypatch.setattr(stream, "bootstrap_servers", lambda _: stack.address("kafka"))
    monkeypatch.setattr(stream, "postgres", lambda name: psycopg.connect(stack.address(name), autocommit=True))
    with pytest.raises(TerminalError, match=r"lost offsets .* run `promptsales connectors snapshot promptads`"):
        stream.health.function("promptads")
    connectors.snapshot_again(stack, "promptads")
    settle(stack)
    assert advice(stack) == set()
    assert_equal_to_the_source(stack, warehouse)
