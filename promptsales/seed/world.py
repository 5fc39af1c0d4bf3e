"""The base of all sample data: one seed number, one anchor date, one scale.

Random numbers are drawn per (kind, index), so any row can be computed without those before it. Two systems then use
the same ids without reading from each other, and memory does not grow with the number of rows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from random import Random
from typing import Any
from uuid import UUID

from bson import ObjectId

from promptsales.errors import ConfigError

SEED = 20260101
DAYS = 90  # default length of the campaign and lead history before the anchor


class Size(StrEnum):
    """The amount of sample data."""

    SMALL = "small"
    MEDIUM = "medium"


@dataclass(frozen=True)
class Scale:
    """The number of rows of each kind."""

    users: int
    campaigns: int
    assets: int
    prompts: int
    accounts: int
    leads: int
    sessions: int


SCALES = {
    Size.SMALL: Scale(users=30, campaigns=50, assets=1_000, prompts=2_500, accounts=300, leads=2_000, sessions=40),
    Size.MEDIUM: Scale(
        users=600, campaigns=500, assets=10_000, prompts=25_000, accounts=40_000, leads=1_000_000, sessions=400
    ),
}


class _FastRandom(Random):
    """A generator with a faster, slightly biased ``choice``: a million leads need ten million choices."""

    def choice(self, seq: Any) -> Any:
        return seq[int(self.random() * len(seq))]


class World:
    """A reproducible world: the same arguments always give the same ids and values."""

    def __init__(self, anchor: datetime, scale: Scale, number: int = SEED, days: int = DAYS) -> None:
        """Build a world.

        Args:
            anchor: midnight UTC at which the history ends; only planted rows are later.
            scale: the number of rows.
            number: the seed number.
            days: the length of the history of campaigns and leads before the anchor, in days.

        Raises:
            ConfigError: when the anchor is not midnight UTC.
        """
        if anchor.tzinfo is None or anchor.astimezone(UTC).time() != datetime.min.time():
            raise ConfigError(f"anchor {anchor.isoformat()}: expected midnight in the zone UTC; pass such a time")
        self.anchor = anchor.astimezone(UTC)
        self.scale = scale
        self.number = number
        self.days = days
        self._key = number.to_bytes(8, "big")

    def id(self, kind: str, index: int) -> UUID:
        """Return the id of row ``index`` of a kind."""
        return UUID(bytes=self._digest(kind, index), version=4)

    def object_id(self, kind: str, index: int) -> ObjectId:
        """Return the MongoDB id of document ``index`` of a kind."""
        return ObjectId(self._digest(kind, index)[:12])

    def rng(self, kind: str, index: int = 0) -> Random:
        """Return the generator of random values for one row, or for one chunk of rows."""
        return _FastRandom(self._digest(kind, index))

    def day(self, offset: float) -> datetime:
        """Return the anchor plus a number of days, which may be negative."""
        return self.anchor + timedelta(days=offset)

    def _digest(self, kind: str, index: int) -> bytes:
        return blake2b(f"{kind}:{index}".encode(), digest_size=16, key=self._key).digest()


def naive(moment: datetime) -> datetime:
    """Return a time for a ``timestamp`` column: in UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def weekday_factor(moment: datetime) -> float:
    """Return the activity on a day of the week relative to the mean; business customers are less active at weekends."""
    return (1.15, 1.2, 1.2, 1.15, 1.05, 0.6, 0.65)[moment.weekday()]


def fresh_rng() -> Random:
    """Return a generator with a different seed in every process."""
    return _FastRandom()


def new_id(rng: Random) -> UUID:
    """Return a random id, for a row that no other row has to compute."""
    return UUID(int=rng.getrandbits(128), version=4)


def wait(rng: Random, mean_days: float) -> timedelta:
    """Return an exponentially distributed duration."""
    return timedelta(days=rng.expovariate(1 / mean_days))
