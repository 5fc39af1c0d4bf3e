"""The key spaces of Redis (``schemas/redis/key_spaces.yml``), and a check for keys that belong to none."""

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

# keys that a check reads; SCAN returns keys in random order, so of more keys this is a sample
SAMPLE = 10_000
_PART = re.compile(r"\{[a-z_]+\}")


class KeySpace(Document):
    """A kind of keys: their pattern, type, time to live and owner."""

    pattern: str = Field(pattern=r"^[a-z]+(:[a-z]+|:\{[a-z_]+\})+$")
    type: Literal["string", "hash", "list", "set", "zset", "stream"]
    time_to_live_seconds: int = Field(ge=1, description="the longest a key may live; every key expires")
    owner: str
    description: str

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile(_PART.sub(r"[^:\\s]+", self.pattern))

    def matches(self, key: str) -> bool:
        """Return whether a key is of this kind."""
        return self._expression.fullmatch(key) is not None

    def key(self, **parts: str) -> str:
        """Return the key with these parts."""
        return self.pattern.format_map(parts)


class _KeySpaces(Document):
    key_spaces: dict[str, KeySpace]


@cache
def key_spaces() -> dict[str, KeySpace]:
    """Return every key space by name.

    Raises:
        ConfigError: when the file is invalid.
    """
    return read_document(ROOT / "schemas" / "redis" / "key_spaces.yml", _KeySpaces).key_spaces


def find_unexpected_keys(client: "redis.Redis") -> list[str]:
    """Return the keys that violate the key spaces, as counts per fault, because a key may name a person.

    Args:
        client: an open connection that decodes responses to text.

    Raises:
        TransientError: when Redis cannot be reached.
        TerminalError: when Redis rejects a command.
    """
    with redis_errors("check the key spaces", client):
        keys = list(islice(client.scan_iter(count=1000), SAMPLE))
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            pipeline.type(key)
            pipeline.ttl(key)
        answers = pipeline.execute()
    faults = (_fault(key, kind, ttl) for key, kind, ttl in zip(keys, answers[::2], answers[1::2], strict=True))
    return [f"{count} keys {fault}" for fault, count in sorted(Counter(filter(None, faults)).items())]


def _fault(key: str, kind: str, ttl: int) -> str | None:
    """Return what is wrong with a key, without the key's variable parts; None for a valid key."""
    name, space = next(((name, space) for name, space in key_spaces().items() if space.matches(key)), (None, None))
    if kind == "none":  # expired since the scan
        return None
    if space is None:
        return "belong to no key space of schemas/redis/key_spaces.yml"
    if kind != space.type:
        return f"of {name} have type {kind} instead of {space.type}"
    if not 0 <= ttl <= space.time_to_live_seconds:
        return f"of {name} live longer than {space.time_to_live_seconds} s"
    return None
