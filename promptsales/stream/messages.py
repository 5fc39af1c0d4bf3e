"""A message of Kafka, as the stream reads it."""

from typing import NamedTuple

# the header that carries the epoch of the source: it grows with each new snapshot
EPOCH = "epoch"


class Message(NamedTuple):
    """A message as it came from Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    epoch: int | None
