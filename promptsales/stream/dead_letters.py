"""Dead letters as people use them: list them, look at one, send it again, drop it."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from confluent_kafka import Producer
from psycopg.rows import class_row, dict_row

from promptsales.errors import ConfigError, TransientError
from promptsales.failures.kafka import kafka_errors, kafka_failure
from promptsales.specs.value_limits import DEAD_LETTER_BYTES

_TIMEOUT_S = 30
_PRODUCER = {"acks": "all", "log_level": 0, "message.timeout.ms": 20_000, "message.max.bytes": DEAD_LETTER_BYTES}

_LIST = Path(__file__).with_name("list_dead_letters.sql").read_bytes()
_SHOW = "select * from ops.dead_letter where topic = %s and partition = %s and message_offset = %s"
_DROP = "delete from ops.dead_letter where topic = %s and partition = %s and message_offset = %s"


class Place(NamedTuple):
    """Where a message was: written ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read the written form.

        Raises:
            ConfigError: when it is not one.
        """
        parts = text.split("/")
        if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
            raise ConfigError(f"{text!r} is no place of a message; write it as topic/partition/offset, like `dlq list`")
        return cls(parts[0], int(parts[1]), int(parts[2]))


class Letter(NamedTuple):
    """One dead letter, without its bytes."""

    topic: str
    partition: int
    message_offset: int
    reason: str
    dead_at: datetime


def letters(warehouse: psycopg.Connection, topic: str | None, limit: int) -> list[Letter]:
    """At most ``limit`` dead letters, the oldest first; of one topic or of all."""
    with warehouse.cursor(row_factory=class_row(Letter)) as cursor:
        return cursor.execute(_LIST, {"topic": topic, "limit": limit}).fetchall()


def counts(warehouse: psycopg.Connection) -> dict[str, float]:
    """How many there are, by topic."""
    query = "select topic, count(*) from ops.dead_letter group by topic order by topic"
    return {topic: float(count) for topic, count in warehouse.execute(query)}


def show(warehouse: psycopg.Connection, place: Place) -> dict[str, Any]:
    """One dead letter, its bytes included.

    Raises:
        ConfigError: when there is none at that place.
    """
    with warehouse.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_SHOW, place).fetchone()
    if found is None:
        raise ConfigError(f"no dead letter at {place.topic}/{place.partition}/{place.offset}; `dlq list` shows them")
    return found


def replay(warehouse: psycopg.Connection, kafka: str, place: Place) -> None:
    """Send a dead letter to its topic again, and forget it; where it is still bad it comes back.

    A version that was applied meanwhile, or a newer one, is not undone: the stream's guard sees to that.

    Raises:
        ConfigError: when there is none at that place.
        TransientError: when no broker takes it; it is kept.
    """
    found = show(warehouse, place)
    headers: dict[str, str | bytes | None] = {} if found["epoch"] is None else {"epoch": str(found["epoch"])}
    refused: list[Any] = []
    producer = Producer({**_PRODUCER, "bootstrap.servers": kafka})
    with kafka_errors("send the dead letter again", kafka):
        producer.produce(
            found["topic"],
            key=found["message_key"],
            value=found["message_value"],
            headers=headers,
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )
        left = producer.flush(_TIMEOUT_S)
    if refused:
        raise kafka_failure("send the dead letter again; it is kept", refused[0], kafka)
    if left:
        raise TransientError(f"send the dead letter again: kafka does not answer at {kafka}; it is kept")
    warehouse.execute(_DROP, place)


def drop(warehouse: psycopg.Connection, place: Place) -> None:
    """Forget a dead letter.

    Raises:
        ConfigError: when there is none at that place.
    """
    show(warehouse, place)
    warehouse.execute(_DROP, place)
