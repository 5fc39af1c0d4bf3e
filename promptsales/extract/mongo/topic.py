"""Write hashed rows to a feed's topic, check every delivery, and read the same rows back."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from promptsales.errors import TransientError
from promptsales.extract.mongo.rows import Row
from promptsales.failures.kafka import kafka_errors, kafka_failure
from promptsales.kafka_address import client_properties
from promptsales.specs.feed import Contract
from promptsales.specs.value_limits import MESSAGE_BYTES

_TIMEOUT_S = 30.0
_CLIENT = {"log_level": 0, "socket.connection.setup.timeout.ms": 5_000}
_PRODUCER = {
    "enable.idempotence": True,
    "acks": "all",
    "delivery.timeout.ms": int(_TIMEOUT_S * 1000),
    "compression.type": "lz4",
    "linger.ms": 20,
    "batch.size": 1_000_000,
    # the default of 1 MB is too small for a row whose text columns are full
    "message.max.bytes": MESSAGE_BYTES,
    "partitioner": "murmur2_random",  # the partitioner of the Java client
}
_CONSUMER = {
    "group.id": "promptcontent",
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    # the consumer is faster than staging; these bound its memory per partition and per answer
    "queued.max.messages.kbytes": 4_096,
    "fetch.max.bytes": 4_000_000,
    "fetch.queue.backoff.ms": 10,
}
_BATCH = 1_000
_PYTHON: dict[str, Any] = {
    "bytea": bytes,
    "boolean": bool,
    "integer": int,
    "smallint": int,
    "bigint": int,
    "numeric": Decimal,
    "text": str,
    "text[]": list[str],
    "timestamp with time zone": datetime,
    "uuid": UUID,
}


class WrittenRange(NamedTuple):
    """What a run wrote: the number of rows, and for each partition the first offset and the one after the last."""

    rows: int
    start: dict[int, int]
    end: dict[int, int]


class Wire:
    """Encodes a feed's rows as JSON objects without nulls, hashes in base64, with the load's number in ``_load_id``."""

    def __init__(self, contract: Contract) -> None:
        fields = [(column.name, _python(column.type) | None, None) for column in contract.columns]
        extra = [("_misfits", list[str] | None, None), ("_load_id", int | None, None)]
        self._struct = msgspec.defstruct(contract.table, fields + extra, omit_defaults=True, gc=False)
        self._key = contract.column_names.index(contract.key)
        self.encode = msgspec.json.Encoder().encode
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._struct).decode

    def encode_row(self, row: Row, load_id: int) -> tuple[bytes, bytes]:
        """Return the key and value of a row's message."""
        return str(row[self._key]).encode(), self.encode(self._struct(*row, load_id))

    def decode_row(self, value: bytes) -> tuple[Any, ...]:
        """Return the columns, misfits and load number of a message."""
        return msgspec.structs.astuple(self._decode(value))


def strip_size(kind: str) -> str:
    """Return a type without its size."""
    return re.sub(r"\([0-9,]+\)", "", kind)


def _python(kind: str) -> Any:
    return _PYTHON[strip_size(kind)]


def _read_position(message: Message) -> tuple[int, int]:
    """Return the partition and offset of a delivered or consumed message."""
    return cast(int, message.partition()), cast(int, message.offset())


class _Deliveries:
    """Counts the messages that the brokers confirm, and keeps the first error."""

    def __init__(self) -> None:
        self.rows = 0
        self.start: dict[int, int] = {}
        self.end: dict[int, int] = {}
        self.error: KafkaError | None = None

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.error = self.error or error
            return
        self.rows += 1
        partition, offset = _read_position(message)
        # deliveries of a partition arrive in offset order
        self.start.setdefault(partition, offset)
        self.end[partition] = offset + 1


def write(address: str, topic: str, messages: Iterable[tuple[bytes, bytes]]) -> WrittenRange:
    """Write messages and wait until the brokers have confirmed every one.

    Raises:
        TransientError: when no broker answers, or a message was not confirmed.
        TerminalError: when one refuses.
    """
    what, deliveries, sent = f"write to {topic}", _Deliveries(), 0
    with kafka_errors(what, address):
        producer = Producer({**_CLIENT, **_PRODUCER, **client_properties(address)})
        for key, value in messages:
            if not sent:
                producer.list_topics(topic, timeout=10)  # fails sooner than a delivery if no broker answers
            _produce(producer, topic, key, value, deliveries)
            sent += 1
            if deliveries.error is not None:
                break
        producer.flush(_TIMEOUT_S + 5)
    if deliveries.error is not None:
        raise kafka_failure(what, deliveries.error, address)
    if deliveries.rows != sent:
        raise TransientError(f"{what}: {sent} messages sent, {deliveries.rows} confirmed; retry later")
    return WrittenRange(deliveries.rows, deliveries.start, deliveries.end)


def _produce(producer: Producer, topic: str, key: bytes, value: bytes, deliveries: _Deliveries) -> None:
    while True:
        try:
            producer.produce(topic, value, key, on_delivery=deliveries)
            producer.poll(0)
            return
        except BufferError:  # the producer's queue is full
            producer.poll(0.1)
            if deliveries.error is not None:
                return


def read(address: str, topic: str, written: WrittenRange) -> Iterator[bytes]:
    """Yield every message between the offsets that were written.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when one refuses.
    """
    what, left = f"read {topic}", {number: range(at, written.end[number]) for number, at in written.start.items()}
    with kafka_errors(what, address):
        consumer = Consumer({**_CLIENT, **_CONSUMER, **client_properties(address)})
        try:
            consumer.assign([TopicPartition(topic, number, at) for number, at in written.start.items()])
            deadline = time.monotonic() + _TIMEOUT_S
            while left:
                # asking for more messages than there are would wait for the timeout
                messages = consumer.consume(min(_BATCH, sum(map(len, left.values()))), 1.0)
                deadline = time.monotonic() + _TIMEOUT_S if messages else deadline
                if time.monotonic() > deadline:
                    raise TransientError(f"{what}: no message came for {_TIMEOUT_S:.0f} s; retry later")
                yield from _values(what, messages, left)
        finally:
            consumer.close()


def _values(what: str, messages: list[Message], left: dict[int, range]) -> Iterator[bytes]:
    for message in messages:
        if (error := message.error()) is not None:
            raise kafka_failure(what, error)
        partition, offset = _read_position(message)
        if offset not in left.get(partition, ()):
            left.pop(partition, None)  # past the last written offset
            continue
        left[partition] = range(offset + 1, left[partition].stop)
        if not left[partition]:
            del left[partition]
        yield cast(bytes, message.value())
