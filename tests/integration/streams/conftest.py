"""The sink on the real warehouse, without Kafka: events written by hand, decoded by the real decoders."""

import asyncio
from collections.abc import Callable, Sequence

import psycopg
import pytest

from promptsales.settings import Settings
from promptsales.stream_contracts import stream_contracts
from promptsales.stream_truncations import Truncation
from streams.batch import Batch
from streams.decode import Change, DeadLetter, Decoder, Message
from streams.sink import Applied, Sink

DECODERS = {contract.topic: Decoder(contract) for contract in stream_contracts().values()}

Apply = Callable[[Sequence[Message]], Applied]


def batch_of(messages: Sequence[Message]) -> Batch:
    """What the app makes of messages, without offsets."""
    found = [DECODERS[message.topic].decode(message) for message in messages]
    changes = tuple(item for item in found if isinstance(item, Change))
    dead = tuple(item for item in found if isinstance(item, DeadLetter))
    return Batch(changes, dead, (), tuple(item for item in found if isinstance(item, Truncation)))


@pytest.fixture
def apply(stack: Settings, warehouse: psycopg.Connection) -> Apply:
    """Applies messages as one batch, to an empty warehouse."""

    async def run(messages: Sequence[Message]) -> Applied:
        async with await psycopg.AsyncConnection.connect(stack.address("warehouse"), autocommit=True) as connection:
            return await Sink(connection, 14).apply(batch_of(messages))

    return lambda messages: asyncio.run(run(messages))
