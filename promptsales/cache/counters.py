"""Live counters of campaigns in Redis: absolute figures, so that one written twice or late does no harm.

PostgreSQL is the truth. A figure is set only when its version is newer. A random marker tells one life of Redis from
the next: where it is not the one under which a worker published all figures, Redis lost them, and all are set again.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import redis

from promptsales.cache.key_spaces import key_spaces
from promptsales.settings import ROOT

_SPACES = {"minute": "campaign_minutes", "day": "campaign_days"}
_PART = 500

_RECENT = Path(__file__).with_name("recent_counters.sql").read_bytes()
_CHECKED = Path(__file__).with_name("checked_counters.sql").read_bytes()
# with 288,000 figures (a hundred campaigns for two days) a round takes five minutes
CHECKED = 10_000


class Counter(NamedTuple):
    """What a campaign brought in a minute or on a day."""

    kind: str
    campaign_id: UUID
    starts_at: datetime
    impressions: int
    clicks: int
    spend: Any
    conversions: int
    version: int

    @property
    def key(self) -> str:
        """Its key in Redis."""
        space = key_spaces()[_SPACES[self.kind]]
        at = self.starts_at.astimezone(UTC)
        if self.kind == "minute":
            return space.key(campaign_id=str(self.campaign_id), minute=f"{at:%Y%m%dT%H%M}")
        return space.key(campaign_id=str(self.campaign_id), date=f"{at:%Y%m%d}")


@cache
def _script() -> str:
    return (ROOT / "schemas" / "redis" / "newest.lua").read_text(encoding="utf-8")


def publish(client: "redis.Redis", counters: Iterable[Counter]) -> None:
    """Set the figures that are newer than what Redis has.

    Raises:
        redis.RedisError: as the driver.
    """
    by_kind: dict[str, list[Counter]] = {}
    for counter in counters:
        by_kind.setdefault(counter.kind, []).append(counter)
    script = client.register_script(_script())
    for kind, found in by_kind.items():
        seconds = key_spaces()[_SPACES[kind]].time_to_live_seconds
        for start in range(0, len(found), _PART):
            part = found[start : start + _PART]
            script(keys=[counter.key for counter in part], args=[seconds, *_values(part)])


def _values(part: Sequence[Counter]) -> list[Any]:
    return [
        value
        for counter in part
        for value in (counter.version, counter.impressions, counter.clicks, str(counter.spend), counter.conversions)
    ]


class Place(NamedTuple):
    """The figure that the round has checked last."""

    kind: str
    campaign_id: UUID
    starts_at: datetime


_FIRST = Place("minute", UUID(int=0), datetime(1970, 1, 1, tzinfo=UTC))


class Published(NamedTuple):
    """What a worker has published: under which marker, all that changed before a time; and how far its round is."""

    marker: str | bytes | None
    until: datetime
    checked: Place = _FIRST


NOTHING = Published(None, datetime(1970, 1, 1, tzinfo=UTC))


def publish_again(client: "redis.Redis", warehouse: psycopg.Connection, before: Published) -> Published:
    """Set what changed since the call before; all that Redis should have, when it was emptied since.

    Redis may evict a single counter, or somebody may delete it. So each call also sets the next ``CHECKED`` figures of
    a round through all of them, where Redis does not have them.

    Returns:
        What the next call is told. One that saw Redis emptied under its hands says so, and the next sets all again.

    Raises:
        redis.RedisError, psycopg.Error: as the drivers.
    """
    marker = _marker(client)
    values = {
        "all": marker is None or marker != before.marker,
        "since": before.until,
        **{f"{kind}_s": key_spaces()[space].time_to_live_seconds for kind, space in _SPACES.items()},
    }
    now = warehouse.execute("select clock_timestamp() - interval '1 minute'").fetchone()
    publish(client, (Counter(*row) for row in warehouse.execute(_RECENT, values)))
    checked = _FIRST if values["all"] else _check(client, warehouse, before.checked, values)
    return Published(marker if _renew(client, marker) else None, now[0] if now else before.until, checked)


def _check(client: "redis.Redis", warehouse: psycopg.Connection, after: Place, lives: dict[str, Any]) -> Place:
    """Set the next figures of the round that Redis does not have; return where the round goes on."""
    rows = warehouse.execute(_CHECKED, {**lives, **after._asdict(), "limit": CHECKED})
    part = [Counter(*row) for row in rows]
    publish(client, part)
    return Place(*part[-1][:3]) if len(part) == CHECKED else _FIRST


def _marker(client: "redis.Redis") -> str | bytes | None:
    """The marker of this life of Redis; the first who comes sets it."""
    space = key_spaces()["counter_marker"]
    client.set(space.key(), secrets.token_hex(16), ex=space.time_to_live_seconds, nx=True)
    found: str | bytes | None = client.get(space.key())
    return found


def _renew(client: "redis.Redis", marker: str | bytes | None) -> bool:
    """Let the marker live on; False when it is another by now, so that what was published under it may be gone."""
    space = key_spaces()["counter_marker"]
    client.expire(space.key(), space.time_to_live_seconds)
    return marker is not None and _marker(client) == marker
