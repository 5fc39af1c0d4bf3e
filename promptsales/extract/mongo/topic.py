"""A feed's topic: hashed rows are written to it, every delivery is checked, and exactly those are read back."""

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
    # a row full of text has almost the default of 1 MB
    "message.max.bytes": MESSAGE_BYTES,
    "partitioner": "murmur2_random",  # as Kafka's own clients place keys
}
_CONSUMER = {
    "group.id": "promptcontent",
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    # it reads faster than rows are staged: what waits in memory is bounded, for each partition and each answer
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


class Written(NamedTuple):
    """What a run wrote: how many rows, and of each partition the first offset and the one after the last."""

    rows: int
    start: dict[int, int]
    end: dict[int, int]


class Wire:
    """A feed's rows as messages: JSON by column, without nulls, hashes in base64; ``_load_id`` is its load."""

    def __init__(self, contract: Contract) -> None:
        fields = [(column.name, _python(column.type) | None, None) for column in contract.columns]
        extra = [("_misfits", list[str] | None, None), ("_load_id", int | None, None)]
        self._struct = msgspec.defstruct(contract.table, fields + extra, omit_defaults=True, gc=False)
        self._key = contract.column_names.index(contract.key)
        self.encode = msgspec.json.Encoder().encode
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._struct).decode

    def message(self, row: Row, load_id: int) -> tuple[bytes, bytes]:
        """Key and value of a row's message."""
        return str(row[self._key]).encode(), self.encode(self._struct(*row, load_id))

    def row(self, value: bytes) -> tuple[Any, ...]:
        """Columns, misfits and load of a message."""
        return msgspec.structs.astuple(self._decode(value))


def bare(kind: str) -> str:
    """A type without its size."""
    return re.sub(r"\([0-9,]+\)", "", kind)


def _python(kind: str) -> Any:
    return _PYTHON[bare(kind)]


def _place(message: Message) -> tuple[int, int]:
    """Partition and offset of a message that has been in a topic."""
    return cast(int, message.partition()), cast(int, message.offset())


class _Deliveries:
    """Counts what the brokers have confirmed, and keeps the first error."""

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
        partition, offset = _place(message)
        # deliveries of a partition are told in its order
        self.start.setdefault(partition, offset)
        self.end[partition] = offset + 1


def write(address: str, topic: str, messages: Iterable[tuple[bytes, bytes]]) -> Written:
    """Write messages and wait until the brokers have confirmed every one.

    Raises:
        TransientError: when no broker answers, or a message was not confirmed.
        TerminalError: when one refuses.
    """
    what, told, sent = f"write to {topic}", _Deliveries(), 0
    with kafka_errors(what, address):
        producer = Producer({**_CLIENT, **_PRODUCER, "bootstrap.servers": address})
        for key, value in messages:
            if not sent:
                producer.list_topics(topic, timeout=10)  # where nobody answers, say so now and not in half a minute
            _produce(producer, topic, key, value, told)
            sent += 1
            if told.error is not None:
                break
        producer.flush(_TIMEOUT_S + 5)
    if told.error is not None:
        raise kafka_failure(what, told.error, address)
    if told.rows != sent:
        raise TransientError(f"{what}: {sent} messages sent, {told.rows} confirmed; it is tried again")
    return Written(told.rows, told.start, told.end)


def _produce(producer: Producer, topic: str, key: bytes, value: bytes, told: _Deliveries) -> None:
    while True:
        try:
            producer.produce(topic, value, key, on_delivery=told)
            producer.poll(0)
            return
        except BufferError:  # as much is on its way as may be
            producer.poll(0.1)
            if told.error is not None:
                return


def read(address: str, topic: str, written: Written) -> Iterator[bytes]:
    """Every message between the offsets that were written.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when one refuses.
    """
    what, left = f"read {topic}", {number: range(at, written.end[number]) for number, at in written.start.items()}
    with kafka_errors(what, address):
        consumer = Consumer({**_CLIENT, **_CONSUMER, "bootstrap.servers": address})
        try:
            consumer.assign([TopicPartition(topic, number, at) for number, at in written.start.items()])
            deadline = time.monotonic() + _TIMEOUT_S
            while left:
                # no more than there are: it would wait for them
                messages = consumer.consume(min(_BATCH, sum(map(len, left.values()))), 1.0)
                deadline = time.monotonic() + _TIMEOUT_S if messages else deadline
                if time.monotonic() > deadline:
                    raise TransientError(f"{what}: nothing came for {_TIMEOUT_S:.0f} s; it is tried again")
                yield from _values(what, messages, left)
        finally:
            consumer.close()


def _values(what: str, messages: list[Message], left: dict[int, range]) -> Iterator[bytes]:
    for message in messages:
        if (error := message.error()) is not None:
            raise kafka_failure(what, error)
        partition, offset = _place(message)
        if offset not in left.get(partition, ()):
            left.pop(partition, None)  # after what was written
            continue
        left[partition] = range(offset + 1, left[partition].stop)
        if not left[partition]:
            del left[partition]
        yield cast(bytes, message.value())
