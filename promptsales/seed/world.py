"""What the sample data of all systems agree on: one seed number, one anchor date, one scale.

Random numbers are drawn per (kind, index), so any row can be made without those before it: two systems agree on an id
without asking each other, and a million rows need no memory.
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
DAYS = 90  # of campaign and lead history before the anchor, where no other length is asked for


class Size(StrEnum):
    """How much sample data."""

    SMALL = "small"
    MEDIUM = "medium"


@dataclass(frozen=True)
class Scale:
    """How many of the things that others hang on."""

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


class _Quick(Random):
    """A million leads make ten million choices: the library's own, without the last grain of fairness."""

    def choice(self, seq: Any) -> Any:
        return seq[int(self.random() * len(seq))]


class World:
    """One reproducible world; the same arguments give the same ids and values for ever."""

    def __init__(self, anchor: datetime, scale: Scale, number: int = SEED, days: int = DAYS) -> None:
        """Build a world.

        Args:
            anchor: midnight UTC at which the history ends; nothing but planted rows is later.
            scale: how many rows.
            number: the seed.
            days: how far the history of campaigns and leads goes back from the anchor.

        Raises:
            ConfigError: when the anchor is not a midnight of UTC.
        """
        if anchor.tzinfo is None or anchor.astimezone(UTC).time() != datetime.min.time():
            raise ConfigError(f"anchor {anchor.isoformat()}: must be a midnight with the zone UTC")
        self.anchor = anchor.astimezone(UTC)
        self.scale = scale
        self.number = number
        self.days = days
        self._key = number.to_bytes(8, "big")

    def id(self, kind: str, index: int) -> UUID:
        """The id of the thing ``index`` of a kind."""
        return UUID(bytes=self._digest(kind, index), version=4)

    def object_id(self, kind: str, index: int) -> ObjectId:
        """The same for MongoDB."""
        return ObjectId(self._digest(kind, index)[:12])

    def rng(self, kind: str, index: int = 0) -> Random:
        """The source of the random values of one thing, or of one chunk of things."""
        return _Quick(self._digest(kind, index))

    def day(self, offset: float) -> datetime:
        """The anchor moved by days, negative into the past."""
        return self.anchor + timedelta(days=offset)

    def _digest(self, kind: str, index: int) -> bytes:
        return blake2b(f"{kind}:{index}".encode(), digest_size=16, key=self._key).digest()


def naive(moment: datetime) -> datetime:
    """A moment for a ``timestamp`` column: UTC without its zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def weekday_factor(moment: datetime) -> float:
    """How busy a day of the week is, against the mean: business customers rest at the weekend."""
    return (1.15, 1.2, 1.2, 1.15, 1.05, 0.6, 0.65)[moment.weekday()]


def fresh_rng() -> Random:
    """A source of random values that is another in every process."""
    return _Quick()


def new_id(rng: Random) -> UUID:
    """The id of a thing that nothing else has to know of."""
    return UUID(int=rng.getrandbits(128), version=4)


def wait(rng: Random, mean_days: float) -> timedelta:
    """How long something takes that happens at any time: mostly soon, sometimes late."""
    return timedelta(days=rng.expovariate(1 / mean_days))
