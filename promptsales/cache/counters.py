"""Live counters of campaigns in Redis: absolute figures, so that writing one twice or late does no harm.

PostgreSQL is the source of truth, and a figure is set only if its version is newer. A random marker detects that Redis
lost its data: when the marker differs from the one under which a worker published all figures, all are set again.
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
from psycopg.rows import args_row

from promptsales.settings import ROOT
from promptsales.specs.key_space import key_spaces

_SPACES = {"minute": "campaign_minutes", "day": "campaign_days"}
_PART = 500

_RECENT = Path(__file__).with_name("recent_counters.sql").read_bytes()
_CHECKED = Path(__file__).with_name("checked_counters.sql").read_bytes()
# with 288,000 figures (a hundred campaigns for two days) a round takes five minutes
CHECKED = 10_000


class Counter(NamedTuple):
    """The figures of a campaign in one minute or on one day."""

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
        """The key of the counter in Redis."""
        space = key_spaces()[_SPACES[self.kind]]
        at = self.starts_at.astimezone(UTC)
        if self.kind == "minute":
            return space.key(campaign_id=str(self.campaign_id), minute=f"{at:%Y%m%dT%H%M}")
        return space.key(campaign_id=str(self.campaign_id), date=f"{at:%Y%m%d}")


@cache
def _script() -> str:
    return (ROOT / "schemas" / "redis" / "newest.lua").read_text(encoding="utf-8")


def publish(client: "redis.Redis", counters: Iterable[Counter]) -> None:
    """Set the figures that are newer than those in Redis.

    Raises:
        redis.RedisError: as the driver.
    """
    by_kind: dict[str, list[Counter]] = {}
    for counter in counters:
        by_kind.setdefault(counter.kind, []).append(counter)
    script = client.register_script(_script())
    for kind, of_kind in by_kind.items():
        seconds = key_spaces()[_SPACES[kind]].time_to_live_seconds
        for start in range(0, len(of_kind), _PART):
            part = of_kind[start : start + _PART]
            script(keys=[counter.key for counter in part], args=[seconds, *_values(part)])


def _values(part: Sequence[Counter]) -> list[Any]:
    return [
        value
        for counter in part
        for value in (counter.version, counter.impressions, counter.clicks, str(counter.spend), counter.conversions)
    ]


class CheckedCounter(NamedTuple):
    """The key of the counter that a round has checked last."""

    kind: str
    campaign_id: UUID
    starts_at: datetime


_FIRST = CheckedCounter("minute", UUID(int=0), datetime(1970, 1, 1, tzinfo=UTC))


class Published(NamedTuple):
    """The state of a worker: the marker it published under, until when it published changes, and its round."""

    marker: str | bytes | None
    until: datetime
    checked: CheckedCounter = _FIRST


NOTHING = Published(None, datetime(1970, 1, 1, tzinfo=UTC))


def publish_again(client: "redis.Redis", warehouse: psycopg.Connection, before: Published) -> Published:
    """Set the figures that changed since the last call, or all figures if Redis has lost its data since.

    Redis may evict a single counter, or somebody may delete one. So each call also checks the next ``CHECKED`` figures
    of a round through all of them, and sets those that Redis lacks.

    Returns:
        The state to pass to the next call. If Redis lost its data during this call, the next call sets all figures.

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
    publish(client, _read_counters(warehouse, _RECENT, values))
    checked = _FIRST if values["all"] else _check(client, warehouse, before.checked, values)
    return Published(marker if _renew(client, marker) else None, now[0] if now else before.until, checked)


def _check(
    client: "redis.Redis", warehouse: psycopg.Connection, after: CheckedCounter, lives: dict[str, Any]
) -> CheckedCounter:
    """Set the next figures of the round that Redis lacks; return the position where the round continues."""
    part = _read_counters(warehouse, _CHECKED, {**lives, **after._asdict(), "limit": CHECKED})
    publish(client, part)
    if len(part) < CHECKED:
        return _FIRST
    last = part[-1]
    return CheckedCounter(last.kind, last.campaign_id, last.starts_at)


def _read_counters(warehouse: psycopg.Connection, query: bytes, values: dict[str, Any]) -> list[Counter]:
    with warehouse.cursor(row_factory=args_row(Counter)) as cursor:
        return cursor.execute(query, values).fetchall()


def _marker(client: "redis.Redis") -> str | bytes | None:
    """Return the marker of Redis's current data; create one if there is none."""
    space = key_spaces()["counter_marker"]
    client.set(space.key(), secrets.token_hex(16), ex=space.time_to_live_seconds, nx=True)
    marker: str | bytes | None = client.get(space.key())
    return marker


def _renew(client: "redis.Redis", marker: str | bytes | None) -> bool:
    """Extend the marker's time to live; return False if the marker has changed, so that figures may be lost."""
    space = key_spaces()["counter_marker"]
    client.expire(space.key(), space.time_to_live_seconds)
    return marker is not None and _marker(client) == marker


def read_day(client: "redis.Redis", campaign_ids: Iterable[str], at: datetime | None = None) -> list[dict[str, str]]:
    """Return the figures of campaigns on a UTC day, by default today; empty for a campaign without any.

    Args:
        client: a client that decodes to text.
        campaign_ids: the campaigns.
        at: an instant of the day.

    Raises:
        redis.RedisError: as the driver.
    """
    date = f"{(at or datetime.now(UTC)).astimezone(UTC):%Y%m%d}"
    space = key_spaces()[_SPACES["day"]]
    with client.pipeline(transaction=False) as pipeline:
        for campaign_id in campaign_ids:
            pipeline.hgetall(space.key(campaign_id=campaign_id, date=date))
        return list(pipeline.execute())
