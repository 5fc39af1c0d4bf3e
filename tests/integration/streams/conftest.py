"""The sink on the real warehouse, without Kafka: events written by hand, decoded by the real decoders."""

import asyncio
from collections.abc import Callable, Sequence

import psycopg
import pytest

from promptsales.settings import Settings
from promptsales.stream.messages import Message
from promptsales.stream.sink import Applied
from tests.support import snapshots

Apply = Callable[[Sequence[Message]], Applied]


@pytest.fixture
def apply(stack: Settings, warehouse: psycopg.Connection) -> Apply:
    """Return a function that applies messages as one batch to an empty warehouse."""
    return lambda messages: asyncio.run(snapshots.apply(stack.address("warehouse"), messages))
