"""The key spaces of Redis, each with its type and time to live: ``schemas/redis/key_spaces.yml``."""

import re
from functools import cache, cached_property
from typing import Literal

from pydantic import Field

from promptsales.documents import Document, read_document
from promptsales.settings import ROOT

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
