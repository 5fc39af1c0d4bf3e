"""Dead letters for operators: list them, show one, replay it, drop it."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from confluent_kafka import KafkaError, Producer
from psycopg.rows import class_row, dict_row

from promptsales.errors import ConfigError
from promptsales.failures.kafka import kafka_errors, kafka_failure
from promptsales.feeds.manual_action import Action, Decision, record
from promptsales.kafka_address import client_properties
from promptsales.specs.value_limits import DEAD_LETTER_BYTES

_TIMEOUT_S = 30
_PRODUCER = {"acks": "all", "log_level": 0, "message.timeout.ms": 20_000, "message.max.bytes": DEAD_LETTER_BYTES}

_LIST = Path(__file__).with_name("list_dead_letters.sql").read_bytes()
_SHOW = "select * from ops.dead_letter where topic = %s and partition = %s and message_offset = %s"
DELETE = "delete from ops.dead_letter where topic = %s and partition = %s and message_offset = %s"


class MessagePosition(NamedTuple):
    """The position of a message, written ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "MessagePosition":
        """Parse the written form.

        Raises:
            ConfigError: when the text has another form.
        """
        parts = text.split("/")
        if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
            raise ConfigError(
                f"{text!r} is not a position of a message; write it as topic/partition/offset, as `dlq list` prints it"
            )
        return cls(parts[0], int(parts[1]), int(parts[2]))


class Letter(NamedTuple):
    """A dead letter without its bytes."""

    topic: str
    partition: int
    message_offset: int
    reason: str
    dead_at: datetime


def list_letters(warehouse: psycopg.Connection, topic: str | None, limit: int) -> list[Letter]:
    """Return at most ``limit`` dead letters, oldest first, of one topic or of all."""
    with warehouse.cursor(row_factory=class_row(Letter)) as cursor:
        return cursor.execute(_LIST, {"topic": topic, "limit": limit}).fetchall()


def count_letters(warehouse: psycopg.Connection) -> dict[str, float]:
    """Return the number of dead letters by topic."""
    query = "select topic, count(*) from ops.dead_letter_reason group by topic order by topic"
    return {topic: float(count) for topic, count in warehouse.execute(query)}


def show(warehouse: psycopg.Connection, position: MessagePosition) -> dict[str, Any]:
    """Return a dead letter with its bytes.

    Raises:
        ConfigError: when there is none at that position.
    """
    with warehouse.cursor(row_factory=dict_row) as cursor:
        letter = cursor.execute(_SHOW, position).fetchone()
    if letter is None:
        raise ConfigError(f"no dead letter at {position}; `dlq list` shows those kept")
    return letter


def replay(warehouse: psycopg.Connection, kafka: str, position: MessagePosition, decision: Decision) -> None:
    """Send a dead letter to its topic again, delete it, and record who did so.

    If it still cannot be decoded, it becomes a dead letter again. A version applied since, or a newer one, is not
    undone: the sink ignores older versions.

    Raises:
        ConfigError: when there is none at that position.
        TransientError: when no broker takes it; it is kept.
    """
    letter = show(warehouse, position)
    headers: dict[str, str | bytes | None] = {} if letter["epoch"] is None else {"epoch": str(letter["epoch"])}
    refused: list[Any] = []
    producer = Producer({**_PRODUCER, **client_properties(kafka)})
    with kafka_errors("replay the dead letter", kafka):
        producer.produce(
            letter["topic"],
            key=letter["message_key"],
            value=letter["message_value"],
            headers=headers,
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )
        left = producer.flush(_TIMEOUT_S)
    if refused:
        raise kafka_failure("replay the dead letter, which is kept", refused[0], kafka)
    if left:
        raise kafka_failure("replay the dead letter, which is kept", KafkaError(KafkaError._TIMED_OUT), kafka)
    _delete(warehouse, position, decision, "replay")


def drop(warehouse: psycopg.Connection, position: MessagePosition, decision: Decision) -> None:
    """Delete a dead letter, and record who did so.

    Raises:
        ConfigError: when there is none at that position.
    """
    show(warehouse, position)
    _delete(warehouse, position, decision, "drop")


def _delete(warehouse: psycopg.Connection, position: MessagePosition, decision: Decision, action: Action) -> None:
    with warehouse.transaction():
        warehouse.execute(DELETE, position)
        record(warehouse, decision, action, position.topic, str(position))
