"""A message that cannot be decoded, on the real broker: its row and topic of dead letters, and the commands for it."""

import json
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from typer.testing import CliRunner

from promptsales.bus import topics
from promptsales.cli import dlq
from promptsales.kafka_address import client_properties
from promptsales.settings import Settings
from promptsales.stream import lag
from tests.support import events
from tests.support.events import METRICS, metric
from tests.support.streaming import wait

# as large as the topics allow
LARGE = 26 * 2**20
KEY, POISON = b"\x00k", b"\xff\x00 not json"
_KEPT = "select partition, message_offset, message_key, message_value, reason, epoch from ops.dead_letter"
_GOOD = """
    insert into ops.dead_letter (topic, partition, message_offset, message_key, message_value, reason, epoch)
    values (%s, 0, 0, 'k', %s, 'as an older version of ours said', 1)
"""


def run(*words: str) -> str:
    found = CliRunner().invoke(dlq.app, ["dlq", *words], catch_exceptions=False)
    assert found.exit_code == 0
    return found.output


def send(stack: Settings, value: bytes) -> None:
    producer = Producer({**client_properties(stack.address("kafka")), "acks": "all", "message.max.bytes": LARGE})
    producer.produce(METRICS, key=KEY, value=value, partition=3, headers={"epoch": b"4"})
    assert producer.flush(30) == 0


def end(stack: Settings) -> int:
    """Return the end offset of the dead letter topic."""
    return lag.read_ends(topics.admin(stack.address("kafka")), [f"{METRICS}.dlq"])[f"{METRICS}.dlq", 0]


def buried(stack: Settings, offset: int) -> Message:
    """Read one message of the dead letter topic."""
    consumer = Consumer({**client_properties(stack.address("kafka")), "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(f"{METRICS}.dlq", 0, offset)])
    found = consumer.poll(20)
    consumer.close()
    assert found
    assert not found.error()
    return found


def letters(warehouse: psycopg.Connection) -> list[Any]:
    return warehouse.execute(_KEPT).fetchall()


def test_it_is_kept_untouched_sent_again_and_dropped(stack: Settings, warehouse: psycopg.Connection) -> None:
    before = end(stack)
    send(stack, POISON)
    wait(lambda: letters(warehouse))
    ((partition, offset, key, value, reason, epoch),) = letters(warehouse)
    assert (partition, key, value, epoch) == (3, KEY, POISON, 4)
    assert reason.startswith("DecodeError: ")
    there = buried(stack, before)
    assert (there.key(), there.value(), end(stack)) == (KEY, POISON, before + 1)
    headers = dict(there.headers() or ())
    assert headers.pop("ts")
    assert headers == {
        "error.message": reason.encode(), "src.topic": METRICS.encode(), "src.partition": b"3",
        "src.offset": str(offset).encode(), "epoch": b"4",
    }  # fmt: skip

    place = f"{METRICS}/3/{offset}"
    (listed,) = json.loads(run("list", METRICS, "--json"))
    assert (listed["topic"], listed["partition"], listed["message_offset"]) == (METRICS, 3, offset)
    assert json.loads(run("list", "another", "--json")) == []
    assert json.loads(run("show", place))["message_value"] == str(POISON)
    run("replay", place)
    wait(lambda: [row for row in letters(warehouse) if row[:2] != (3, offset)])
    ((partition, again, key, value, _, epoch),) = letters(warehouse)
    assert (key, value, epoch) == (KEY, POISON, 4)
    run("drop", f"{METRICS}/{partition}/{again}")
    assert letters(warehouse) == []
    assert end(stack) == before + 2  # the dead letter topic keeps both


def test_one_as_large_as_may_be_is_sent_again(stack: Settings, warehouse: psycopg.Connection) -> None:
    send(stack, b"x" * (LARGE - 1000))
    wait(lambda: letters(warehouse))
    ((partition, offset, *_),) = letters(warehouse)
    run("replay", f"{METRICS}/{partition}/{offset}")
    wait(lambda: [row for row in letters(warehouse) if row[1] != offset])
    ((_, _, key, value, _, epoch),) = letters(warehouse)
    assert (key, len(value), epoch) == (KEY, LARGE - 1000, 4)


def test_what_can_be_decoded_by_now_is_applied(stack: Settings, warehouse: psycopg.Connection) -> None:
    good = events.message("c", metric(7, "00000000-0000-0000-0000-000000000001")).value
    warehouse.execute(_GOOD, [METRICS, good])
    run("replay", f"{METRICS}/0/0")
    wait(lambda: warehouse.execute("select metric_id from core.campaign_metrics").fetchall() == [(7,)])
    assert letters(warehouse) == []


@pytest.mark.parametrize(
    "value",
    [
        b'{"op":"c","source":{"lsn":1,"ts_us":1' + b"0" * 30 + b'},"after":{"id":7}}',
        b'{"op":"\\u0000","source":{"lsn":1,"ts_us":1},"after":{"id":7}}',
        b'{"op":"c","source":{"lsn":1,"ts_us":1},"more":' + b"[" * 1100 + b"]" * 1100 + b',"after":{"id":7}}',
        b'{"op":"c","source":{"lsn":' + b"9" * 30 + b',"ts_us":1},"after":{"id":7}}',
        b"x" * (LARGE - 1000),
    ],
    ids=["time", "nul", "depth", "position", "size"],
)
def test_the_stream_goes_on(stack: Settings, warehouse: psycopg.Connection, value: bytes) -> None:
    send(stack, value)
    send(stack, POISON)
    wait(lambda: len(letters(warehouse)) == 2, 20)
    assert {kept for _, _, _, kept, _, _ in letters(warehouse)} == {value, POISON}
