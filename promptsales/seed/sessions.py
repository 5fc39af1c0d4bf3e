"""Sample data of the global cache: sessions, API responses and counters, by the key spaces of schemas/redis."""

import json
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, NamedTuple

import redis

from promptsales.cache.key_spaces import key_spaces
from promptsales.seed.campaigns import running
from promptsales.seed.copying import Tally
from promptsales.seed.failures import system_errors
from promptsales.seed.metrics import campaign_metrics_of
from promptsales.seed.promptsales import owners
from promptsales.seed.world import World
from promptsales.settings import Settings

_ROUTES = ("campaigns", "performance", "leads", "pipeline")


Hash = dict[Any, Any]


class Entry(NamedTuple):
    """A key, what it holds (a hash or a text), and for how many seconds."""

    space: str
    key: str
    value: Hash | str
    seconds: int


def fill(settings: Settings, world: World, tally: Tally) -> bool:
    """Fill the cache in one transaction; False when somebody is logged in already.

    All keys expire, so a repeat after a day fills it again. Counters are no sign that it was filled: the stream writes
    them as soon as metrics change, and those it wrote stay.

    Raises:
        TransientError: when Redis cannot be reached.
        TerminalError: when it refuses.
    """
    with system_errors("seed redis"), redis.Redis.from_url(settings.address("redis")) as client:
        if any(client.scan_iter(key_spaces()["sessions"].key(session_id="*"), count=1000)):
            return False
        write(client, entries(world), tally)
    return True


def write(client: "redis.Redis", found: Iterable[Entry], tally: Tally) -> None:
    """Write entries with their times to live, all or none; what a key holds already stays."""
    with client.pipeline(transaction=True) as pipeline:
        for entry in found:
            if isinstance(entry.value, str):
                pipeline.setnx(entry.key, entry.value)
            else:
                for name, value in entry.value.items():
                    pipeline.hsetnx(entry.key, name, value)
            pipeline.expire(entry.key, entry.seconds)
            tally.add(f"redis.{entry.space}", 1)
        pipeline.execute()


def entries(world: World) -> Iterator[Entry]:
    """Sessions, then responses, then yesterday's counters."""
    for index in range(world.scale.sessions):
        yield session(world, world.rng("session", index))
    for index in range(world.scale.sessions):
        yield response(world, world.rng("api response", index))
    yield from _counters(world)


def session(world: World, rng: Random) -> Entry:
    """Somebody who is logged in."""
    value = {"user_id": str(rng.choice(owners(world))), "role": "marketer", "created_at": _time(world, rng)}
    return _entry("sessions", value, rng.uniform(0.1, 1), session_id=f"{rng.getrandbits(128):032x}")


def response(world: World, rng: Random) -> Entry:
    """An answer of the API that is asked for again."""
    body = {"items": [str(world.id("campaign", rng.randrange(world.scale.campaigns)))], "total": rng.randrange(1, 500)}
    digest = f"{rng.getrandbits(128):032x}"
    return _entry("api_responses", json.dumps(body), rng.uniform(0.5, 1), route=rng.choice(_ROUTES), digest=digest)


def _counters(world: World) -> Iterator[Entry]:
    """What each campaign brought on the last day; version 0 gives way to whatever the stream writes."""
    day = world.day(-1).date()
    for ran in running(world):
        rows = [row for row in campaign_metrics_of(world, ran) if row.timestamp.date() == day]
        if rows:
            value = {
                "impressions": str(sum(row.impressions or 0 for row in rows)),
                "clicks": str(sum(row.clicks for row in rows)),
                "spend": str(sum(row.spend for row in rows)),
                "conversions": str(sum(row.conversions for row in rows)),
                "version": "0",
            }
            yield _entry("campaign_days", value, 1, campaign_id=str(ran.campaign.id), date=f"{day:%Y%m%d}")


def _entry(space: str, value: Hash | str, share: float, **parts: str) -> Entry:
    """An entry that lives for a share of its space's time to live."""
    found = key_spaces()[space]
    return Entry(space, found.key(**parts), value, max(1, int(share * found.time_to_live_seconds)))


def _time(world: World, rng: Random) -> str:
    return world.day(-rng.random()).isoformat(timespec="seconds")
