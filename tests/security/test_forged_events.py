"""A change event that its source cannot have issued becomes a dead letter, and outranks no real change.

The brokers let only Kafka Connect write change events, so the attacker of these tests holds its login.
"""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from confluent_kafka import Producer

from promptsales.kafka_address import client_properties
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.connectors import read_system_identifier
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import Decoder
from promptsales.stream.issued import Issued
from tests.support import events
from tests.support.events import METRICS, metric
from tests.support.streaming import wait

FAR = 2**62
CAMPAIGN = "00000000-0000-0000-0000-000000000001"
_LETTERS = "select reason, epoch from ops.dead_letter order by message_offset"


@pytest.fixture
def epoch(stack: Settings, admin: psycopg.Connection) -> Iterator[int]:
    """Return the current epoch of the connector, which has one even if nothing has created it yet."""
    row = admin.execute("select epoch from ops.connector where connector = 'promptads'").fetchone()
    if row is None:
        admin.execute(
            "insert into ops.connector (connector, epoch, system_identifier) values ('promptads', 1, %s)",
            [read_system_identifier(stack, "promptads")],
        )
    epoch = row[0] if row else 1
    yield epoch
    admin.execute("update ops.connector set epoch = %s where connector = 'promptads'", [epoch])
    if row is None:
        admin.execute("delete from ops.connector where connector = 'promptads'")


@pytest.fixture
def producer(stack: Settings) -> Producer:
    """Log in as Kafka Connect."""
    return Producer({**client_properties(stack.local_kafka("kafka_connect")), "acks": "all"})


def send(producer: Producer, op: str, spend: str | None, lsn: int, epoch: int, commit: int = -1) -> None:
    row = None if spend is None else metric(7, CAMPAIGN, spend=spend)
    event = events.message(op, row, lsn, epoch=epoch, commit=commit)
    producer.produce(METRICS, key=event.key, value=event.value, partition=0, headers={"epoch": str(epoch).encode()})
    assert producer.flush(30) == 0


def spend(warehouse: psycopg.Connection) -> list[tuple[Decimal]]:
    return warehouse.execute("select spend from core.campaign_metrics").fetchall()


def test_it_outranks_no_real_change(producer: Producer, warehouse: psycopg.Connection, epoch: int) -> None:
    send(producer, "c", "1", 100, epoch)
    send(producer, "u", "666", 101, epoch + 1)
    send(producer, "u", "667", FAR, epoch)
    send(producer, "u", "668", 102, epoch, commit=FAR)
    send(producer, "t", None, 103, epoch + 2)
    send(producer, "t", None, FAR, epoch)
    send(producer, "u", "2", 104, epoch)
    wait(lambda: spend(warehouse) == [(Decimal("2.0000"),)], 30)
    restored = "; if the warehouse was restored from a backup, run `promptsales connectors snapshot promptads`"
    beyond = "its log position lies beyond the end of the log of promptads"
    assert warehouse.execute(_LETTERS).fetchall() == [
        (f"its epoch {epoch + 1} has not begun: that of promptads is {epoch}{restored}", epoch + 1),
        (beyond, epoch), (beyond, epoch),
        (f"its epoch {epoch + 2} has not begun: that of promptads is {epoch}{restored}", epoch + 2),
        (beyond, epoch),
    ]  # fmt: skip
    assert warehouse.execute("select from ops.truncation").fetchall() == []


def test_one_of_an_epoch_that_has_just_begun_is_real(stack: Settings, admin: psycopg.Connection, epoch: int) -> None:
    judge, decoder = Issued(stack), Decoder(stream_contracts()["campaign_metrics"])
    message = events.message("u", metric(7, CAMPAIGN), 50, epoch=epoch + 1)
    pairs = [(message, decoder.decode(message))]
    assert isinstance(asyncio.run(judge.judge(pairs))[0][1], DeadLetter)
    admin.execute("update ops.connector set epoch = epoch + 1 where connector = 'promptads'")
    assert asyncio.run(judge.judge(pairs)) == pairs
