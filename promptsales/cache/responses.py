"""Answers in the global cache that cost more to make than to keep: read-through, one maker at a time.

An answer's key holds a mark of each table it was made from. A table that is published gets a new mark, so that no
answer of before is found any more, not even one that was being made meanwhile; those expire by themselves.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import redis

from promptsales.cache.key_spaces import key_spaces
from promptsales.printable import logger
from promptsales.settings import Settings

log = logger(__name__)

# how often one who waits for another to make the answer looks
_LOOK_S, TIMEOUT_S = 0.02, 5


@contextmanager
def cache_of(settings: Settings) -> Iterator["redis.Redis"]:
    """The global cache of some settings, closed at the end; nothing is asked yet."""
    with redis.Redis.from_url(
        settings.address("redis"), decode_responses=True, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    ) as client:
        yield client


class Responses:
    """Answers, on a client that decodes to text; where the cache is away each is made anew."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def read(
        self,
        route: str,
        arguments: Mapping[str, Any],
        tables: Iterable[str],
        make: Callable[[], Any],
        seconds: int | None = None,
    ) -> Any:
        """The answer that is kept, else the one that is made now, and kept; as plain JSON values either way.

        Args:
            route: what is asked.
            arguments: how; only their digest is in the key.
            tables: which tables it is made from, as ``schema.table``.
            make: makes it; called once, however many ask at the same time.
            seconds: for how long it is kept at most, where that is less than its key space allows.
        """
        space = key_spaces()["api_responses"]
        time_to_live = min(seconds or space.time_to_live_seconds, space.time_to_live_seconds)
        try:
            digest = _digest(arguments, self._marks(sorted(tables)))
            key = space.key(route=route, digest=digest)
            if (kept := self._client.get(key)) is not None:
                return msgspec.json.decode(str(kept))
        except redis.RedisError as error:
            log.warning("the cache does not answer: %s", type(error).__name__)
            return _plain(make())
        return self._make(key, key_spaces()["api_locks"].key(route=route, digest=digest), make, time_to_live)

    def _make(self, key: str, lock: str, make: Callable[[], Any], seconds: int) -> Any:
        held = self._client.lock(
            lock,
            timeout=key_spaces()["api_locks"].time_to_live_seconds,
            sleep=_LOOK_S,
            blocking_timeout=key_spaces()["api_locks"].time_to_live_seconds,
        )
        is_mine = _try(held.acquire, False)
        try:
            # whoever held it before has made it meanwhile
            if (kept := _try(lambda: self._client.get(key), None)) is not None:
                return msgspec.json.decode(str(kept))
            made = msgspec.json.encode(make())
            _try(lambda: self._client.set(key, made, ex=seconds), None)
            return msgspec.json.decode(made)
        finally:
            if is_mine:
                _try(held.release, None)

    def _marks(self, tables: Sequence[str]) -> list[str]:
        """The mark of each table; one that has none gets one that no answer was ever kept under."""
        space = key_spaces()["published_tables"]
        keys = [space.key(table=table) for table in tables]
        marks = self._client.mget(keys) if keys else []
        for key in (key for key, mark in zip(keys, marks, strict=True) if mark is None):
            self._client.set(key, _new_mark(), nx=True, ex=space.time_to_live_seconds)
        return [str(mark) for mark in self._client.mget(keys)] if None in marks else [str(mark) for mark in marks]


def forget(client: "redis.Redis", tables: Iterable[str]) -> None:
    """Let go of every answer that was made from some tables; to be called after each publication of theirs.

    An absent cache holds nobody up: what it keeps beyond its absence expires.
    """
    space = key_spaces()["published_tables"]
    try:
        for table in tables:
            client.set(space.key(table=table), _new_mark(), ex=space.time_to_live_seconds)
    except redis.RedisError as error:
        log.warning("answers made from %s may be old for a while: %s", ", ".join(tables), type(error).__name__)


def _new_mark() -> str:
    return secrets.token_hex(8)


def _digest(arguments: Mapping[str, Any], marks: Sequence[str]) -> str:
    return hashlib.sha256(msgspec.json.encode([sorted(arguments.items()), marks])).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """As it would be read from the cache."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _try(call: Callable[[], Any], otherwise: Any) -> Any:
    """What the cache answers, or something else where it is away, or a lock was not given in time."""
    try:
        return call()
    except redis.RedisError as error:
        log.warning("the cache does not answer: %s", type(error).__name__)
        return otherwise
