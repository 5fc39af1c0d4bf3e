"""The global cache: which keys Redis may hold (``schemas/redis/key_spaces.yml``), and what it holds against that."""

import re
from collections import Counter
from functools import cache, cached_property
from itertools import islice
from typing import Literal

import redis
from pydantic import Field

from promptsales.documents import Document, read_document
from promptsales.failures.cache import redis_errors
from promptsales.settings import ROOT

# keys a check looks at; SCAN gives them in no order, so of more it is a sample
SAMPLE = 10_000
_PART = re.compile(r"\{[a-z_]+\}")


class KeySpace(Document):
    """Keys of one kind: how they are called, what they hold, how long they live, who writes them."""

    pattern: str = Field(pattern=r"^[a-z]+(:[a-z]+|:\{[a-z_]+\})+$")
    type: Literal["string", "hash", "list", "set", "zset", "stream"]
    time_to_live_seconds: int = Field(ge=1, description="the longest a key may live; every key expires")
    owner: str
    description: str

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile(_PART.sub(r"[^:\\s]+", self.pattern))

    def matches(self, key: str) -> bool:
        """Whether a key is of this kind."""
        return self._expression.fullmatch(key) is not None

    def key(self, **parts: str) -> str:
        """The key of these parts."""
        return self.pattern.format_map(parts)


class _KeySpaces(Document):
    key_spaces: dict[str, KeySpace]


@cache
def key_spaces() -> dict[str, KeySpace]:
    """Every kind of key, by name.

    Raises:
        ConfigError: when the file says something that cannot be.
    """
    return read_document(ROOT / "schemas" / "redis" / "key_spaces.yml", _KeySpaces).key_spaces


def strangers(client: "redis.Redis") -> list[str]:
    """What Redis holds that it should not, counted by kind; a key itself may name a person and is not shown.

    Args:
        client: an open connection that decodes answers to text.

    Raises:
        TransientError: when Redis cannot be reached.
        TerminalError: when it refuses.
    """
    with redis_errors("look at the key spaces", client):
        keys = list(islice(client.scan_iter(count=1000), SAMPLE))
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            pipeline.type(key)
            pipeline.ttl(key)
        answers = pipeline.execute()
    faults = (_fault(*found) for found in zip(keys, answers[::2], answers[1::2], strict=True))
    return [f"{count} keys {fault}" for fault, count in sorted(Counter(filter(None, faults)).items())]


def _fault(key: str, kind: str, ttl: int) -> str | None:
    """What is wrong with a key, in words that hold no part of it that varies."""
    name, space = next(((name, space) for name, space in key_spaces().items() if space.matches(key)), (None, None))
    if kind == "none":  # expired since the scan
        return None
    if space is None:
        return "of no known key space (schemas/redis/key_spaces.yml)"
    if kind != space.type:
        return f"of {name} are of type {kind}, not {space.type}"
    if not 0 <= ttl <= space.time_to_live_seconds:
        return f"of {name} live longer than {space.time_to_live_seconds} s"
    return None
