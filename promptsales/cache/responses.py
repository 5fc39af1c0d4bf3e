"""A read-through cache of responses; concurrent readers of a missing response compute it once.

The key of a response contains a mark for each table it was computed from. When a table is published it gets a new mark,
so no earlier response is found any more, not even one that was being computed; such responses expire.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import redis

from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.specs.key_space import key_spaces

log = logger(__name__)

# how often a reader that waits for another's response checks for it
_POLL_S, TIMEOUT_S = 0.02, 5


@contextmanager
def cache_of(settings: Settings) -> Iterator["redis.Redis"]:
    """Yield a client of the global cache, which connects with its first command."""
    with redis.Redis.from_url(
        settings.address("redis"), decode_responses=True, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    ) as client:
        yield client


class Responses:
    """The cache of responses, on a client that decodes to text; without Redis every response is computed again."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def read(
        self,
        route: str,
        arguments: Mapping[str, Any],
        tables: Iterable[str],
        compute: Callable[[], Any],
        seconds: int | None = None,
    ) -> Any:
        """Return the cached response, or compute and cache it; always as plain JSON values.

        Args:
            route: the name of the request.
            arguments: the arguments of the request; only their digest is in the key.
            tables: the tables that the response is computed from, as ``schema.table``.
            compute: computes the response; called once for concurrent readers.
            seconds: time to live, if shorter than that of the key space.
        """
        space = key_spaces()["api_responses"]
        time_to_live = min(seconds or space.time_to_live_seconds, space.time_to_live_seconds)
        try:
            digest = _digest(arguments, self._marks(sorted(tables)))
            key = space.key(route=route, digest=digest)
            if (cached := self._client.get(key)) is not None:
                return msgspec.json.decode(str(cached))
        except redis.RedisError as error:
            log.warning("the cache does not answer: %s", type(error).__name__)
            return _as_json(compute())
        return self._compute(key, key_spaces()["api_locks"].key(route=route, digest=digest), compute, time_to_live)

    def _compute(self, key: str, lock_key: str, compute: Callable[[], Any], seconds: int) -> Any:
        lock_seconds = key_spaces()["api_locks"].time_to_live_seconds
        lock = self._client.lock(lock_key, timeout=lock_seconds, sleep=_POLL_S, blocking_timeout=lock_seconds)
        is_acquired = _try(lock.acquire, False)
        try:
            # the previous holder of the lock may have cached the response meanwhile
            if (cached := _try(lambda: self._client.get(key), None)) is not None:
                return msgspec.json.decode(str(cached))
            encoded = msgspec.json.encode(compute())
            _try(lambda: self._client.set(key, encoded, ex=seconds), None)
            return msgspec.json.decode(encoded)
        finally:
            if is_acquired:
                _try(lock.release, None)

    def _marks(self, tables: Sequence[str]) -> list[str]:
        """Return the mark of each table; a table without one gets a new mark, under which nothing is cached yet."""
        space = key_spaces()["published_tables"]
        keys = [space.key(table=table) for table in tables]
        marks = self._client.mget(keys) if keys else []
        for key in (key for key, mark in zip(keys, marks, strict=True) if mark is None):
            self._client.set(key, _new_mark(), nx=True, ex=space.time_to_live_seconds)
        return [str(mark) for mark in self._client.mget(keys)] if None in marks else [str(mark) for mark in marks]


def forget(client: "redis.Redis", tables: Iterable[str]) -> None:
    """Invalidate every response that was computed from the tables; call it after each publication of a table.

    When Redis does not answer, only log a warning: responses that it still holds afterwards expire.
    """
    space = key_spaces()["published_tables"]
    try:
        for table in tables:
            client.set(space.key(table=table), _new_mark(), ex=space.time_to_live_seconds)
    except redis.RedisError as error:
        log.warning("cached responses from %s are stale until they expire: %s", ", ".join(tables), type(error).__name__)


def _new_mark() -> str:
    return secrets.token_hex(8)


def _digest(arguments: Mapping[str, Any], marks: Sequence[str]) -> str:
    return hashlib.sha256(msgspec.json.encode([sorted(arguments.items()), marks])).hexdigest()[:32]


def _as_json(value: Any) -> Any:
    """Return a value as it would be read from the cache."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _try(call: Callable[[], Any], default: Any) -> Any:
    """Return the result of a call to Redis, or a default when it fails."""
    try:
        return call()
    except redis.RedisError as error:
        log.warning("the cache does not answer: %s", type(error).__name__)
        return default
