"""Fill the global cache with sample sessions, API responses and counters."""

import json
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, NamedTuple

import redis

from promptsales.seed.campaigns import flights
from promptsales.seed.copying import Tally
from promptsales.seed.failures import system_errors
from promptsales.seed.metrics import campaign_metrics_of
from promptsales.seed.promptsales import owners
from promptsales.seed.world import World
from promptsales.settings import Settings
from promptsales.specs.key_space import key_spaces

_ROUTES = ("campaigns", "performance", "leads", "pipeline")


Hash = dict[Any, Any]


class CacheEntry(NamedTuple):
    """A key, its value (a hash or a text), and its time to live in seconds."""

    space: str
    key: str
    value: Hash | str
    seconds: int


def fill(settings: Settings, world: World, tally: Tally) -> bool:
    """Fill the cache in one transaction; return False when it already holds sessions.

    All keys expire, so the cache is filled again after a day. Counters do not show that the cache was filled, because
    the stream writes them too; existing counters are kept.

    Raises:
        TransientError: when Redis cannot be reached.
        TerminalError: when it rejects a command.
    """
    with system_errors("seed redis"), redis.Redis.from_url(settings.address("redis")) as client:
        if any(client.scan_iter(key_spaces()["sessions"].key(session_id="*"), count=1000)):
            return False
        write(client, entries(world), tally)
    return True


def write(client: "redis.Redis", entries: Iterable[CacheEntry], tally: Tally) -> None:
    """Write entries with their times to live in one transaction; existing values are kept."""
    with client.pipeline(transaction=True) as pipeline:
        for entry in entries:
            if isinstance(entry.value, str):
                pipeline.setnx(entry.key, entry.value)
            else:
                for name, value in entry.value.items():
                    pipeline.hsetnx(entry.key, name, value)
            pipeline.expire(entry.key, entry.seconds)
            tally.add(f"redis.{entry.space}", 1)
        pipeline.execute()


def entries(world: World) -> Iterator[CacheEntry]:
    """Yield sessions, responses and yesterday's counters."""
    for index in range(world.scale.sessions):
        yield session(world, world.rng("session", index))
    for index in range(world.scale.sessions):
        yield response(world, world.rng("api response", index))
    yield from _counters(world)


def session(world: World, rng: Random) -> CacheEntry:
    """Return a session of a random user."""
    value = {"user_id": str(rng.choice(owners(world))), "role": "marketer", "created_at": _time(world, rng)}
    return _entry("sessions", value, rng.uniform(0.1, 1), session_id=f"{rng.getrandbits(128):032x}")


def response(world: World, rng: Random) -> CacheEntry:
    """Return a cached API response."""
    body = {"items": [str(world.id("campaign", rng.randrange(world.scale.campaigns)))], "total": rng.randrange(1, 500)}
    digest = f"{rng.getrandbits(128):032x}"
    return _entry("api_responses", json.dumps(body), rng.uniform(0.5, 1), route=rng.choice(_ROUTES), digest=digest)


def _counters(world: World) -> Iterator[CacheEntry]:
    """Yield the figures of each campaign on the last day; the stream's figures replace them, as version 0 is oldest."""
    day = world.day(-1).date()
    for flight in flights(world):
        rows = [row for row in campaign_metrics_of(world, flight) if row.timestamp.date() == day]
        if rows:
            value = {
                "impressions": str(sum(row.impressions or 0 for row in rows)),
                "clicks": str(sum(row.clicks for row in rows)),
                "spend": str(sum(row.spend for row in rows)),
                "conversions": str(sum(row.conversions for row in rows)),
                "version": "0",
            }
            yield _entry("campaign_days", value, 1, campaign_id=str(flight.campaign.id), date=f"{day:%Y%m%d}")


def _entry(space: str, value: Hash | str, share: float, **parts: str) -> CacheEntry:
    """Return an entry with a share of its key space's time to live."""
    key_space = key_spaces()[space]
    return CacheEntry(space, key_space.key(**parts), value, max(1, int(share * key_space.time_to_live_seconds)))


def _time(world: World, rng: Random) -> str:
    return world.day(-rng.random()).isoformat(timespec="seconds")
