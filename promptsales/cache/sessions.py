"""Sessions in the global cache: one hash each, whose time to live restarts with every read and write."""

import secrets
from collections.abc import Mapping
from functools import cache

import redis

from promptsales.settings import ROOT
from promptsales.specs.key_space import key_spaces

# length of a session id, which must not be guessable
_BYTES = 32


@cache
def _script() -> str:
    return (ROOT / "schemas" / "redis" / "session.lua").read_text(encoding="utf-8")


class Sessions:
    """The sessions, on a client that decodes responses to text; every call may raise ``redis.RedisError``."""

    def __init__(self, client: "redis.Redis", seconds: int | None = None) -> None:
        self._client, self._space = client, key_spaces()["sessions"]
        self._seconds = min(seconds or self._space.time_to_live_seconds, self._space.time_to_live_seconds)
        self._update = client.register_script(_script())

    def begin(self, values: Mapping[str, str]) -> str:
        """Start a session with at least one value, and return its id."""
        session_id = secrets.token_urlsafe(_BYTES)
        key = self._space.key(session_id=session_id)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, items=_pairs(values))
            pipeline.expire(key, self._seconds)
            pipeline.execute()
        return session_id

    def read(self, session_id: str) -> dict[str, str] | None:
        """Return the values of a session and restart its time to live; None when it has ended."""
        key = self._space.key(session_id=session_id)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hgetall(key)
            pipeline.expire(key, self._seconds)
            values, is_alive = pipeline.execute()
        return dict(values) if is_alive else None

    def write(self, session_id: str, values: Mapping[str, str]) -> bool:
        """Set values of a session; return False, without creating it, when it has ended."""
        key = self._space.key(session_id=session_id)
        return bool(self._update(keys=[key], args=[self._seconds, *_pairs(values)]))

    def end(self, session_id: str) -> None:
        """End a session."""
        self._client.delete(self._space.key(session_id=session_id))


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [part for pair in values.items() for part in pair]
