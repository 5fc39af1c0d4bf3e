"""Read all that the brokers hold."""

from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from promptsales.kafka_address import client_properties
from promptsales.settings import Settings


class Held(NamedTuple):
    """A message of a topic: when it was written, in milliseconds, and its key, value and headers as one text."""

    topic: str
    at_ms: int
    content: bytes


def read_messages(stack: Settings) -> Iterator[Held]:
    """Yield every message of every topic."""
    consumer = Consumer({
        **client_properties(stack.address("kafka")), "group.id": "search", "enable.auto.commit": False,
        "enable.partition.eof": True, "auto.offset.reset": "earliest",
    })  # fmt: skip
    try:
        topics = consumer.list_topics(timeout=20).topics.values()
        left = {(topic.topic, number) for topic in topics for number in topic.partitions}
        consumer.assign([TopicPartition(*at, OFFSET_BEGINNING) for at in left])
        while left:
            message = consumer.poll(30)
            assert message is not None, f"no message came from {left}"
            if (error := message.error()) is None:
                parts = (message.key() or b"", message.value() or b"", repr(message.headers()).encode())
                yield Held(str(message.topic()), message.timestamp()[1], b"".join(parts))
            else:  # the end of a partition, even when it ends in a transaction's marker or a compacted record
                assert error.code() == KafkaError._PARTITION_EOF, error
                left.discard((message.topic(), message.partition()))
    finally:
        consumer.close()
