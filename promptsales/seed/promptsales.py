"""Fill PromptSales core with sample users and subscriptions."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import NamedTuple
from uuid import UUID

from promptsales.seed.copying import Tally, copy_rows, system_to_fill
from promptsales.seed.names import names
from promptsales.seed.planted import PLANTED
from promptsales.seed.world import DAYS, World, naive, new_id
from promptsales.settings import Settings

_PLANS = ("basic", "pro", "enterprise")
_BLANKS = ("", " ")  # two different ones, because addresses are unique at the source


class User(NamedTuple):
    """A row of ``users``; the field names are the columns."""

    id: UUID
    email: str
    password_hash: str
    role: str
    created_at: datetime


class Subscription(NamedTuple):
    """A row of ``subscriptions``."""

    id: UUID
    user_id: UUID
    plan_type: str
    status: str
    start_date: datetime
    end_date: datetime | None


def fill(settings: Settings, world: World, tally: Tally) -> bool:
    """Fill the system in one transaction; return False when it already holds users.

    Raises:
        TransientError: when the system cannot be reached.
        TerminalError: when it rejects a statement, for instance because its schema is not provisioned.
    """
    with system_to_fill(settings, "promptsales", "promptsales.users") as connection:
        if connection is None:
            return False
        copy_rows(connection, "promptsales.users", users(world), tally)
        copy_rows(connection, "promptsales.subscriptions", subscriptions(world), tally)
    return True


@cache
def owners(world: World) -> tuple[UUID, ...]:
    """Return the users who own campaigns and leads: the marketers, two thirds of all users."""
    return tuple(world.id("user", index) for index in range(world.scale.users * 2 // 3))


def users(world: World) -> Iterator[User]:
    """Yield marketers, then admins (a quarter of the rest) and viewers; the last ones have blank addresses."""
    for index in range(world.scale.users):
        rng, role = world.rng("user", index), _role(index, world)
        joined = world.day(DAYS - world.days - rng.uniform(120, 720)).replace(microsecond=0)
        user = new_user(world, rng, str(index), role, joined)._replace(id=world.id("user", index))
        blank = index - (world.scale.users - PLANTED["users"])
        yield user._replace(email=_BLANKS[blank]) if blank >= 0 else user


def new_user(world: World, rng: Random, unique: str, role: str, joined: datetime) -> User:
    """Return a user; ``unique`` makes the address unique."""
    pools = names(world.number)
    email = pools.email(rng, pools.name(rng), unique, f"{rng.choice(pools.companies).slug}.example")
    return User(new_id(rng), email, f"$2b$12${rng.getrandbits(212):053x}", role, naive(joined))


def subscriptions(world: World) -> Iterator[Subscription]:
    """Yield one to three consecutive subscriptions per paying user; the planted ones end before they start."""
    number = 0
    for user in users(world):
        if user.role == "viewer":
            continue
        for plan, starts, ends in _history(world.rng("subscription", number), user.created_at, naive(world.anchor)):
            status = "cancelled" if ends else "active"
            yield Subscription(world.id("subscription", number), user.id, plan, status, starts, ends)
            number += 1
    for index in range(PLANTED["subscriptions"]):
        starts = naive(world.day(-40 - index))
        key, user_id = world.id("subscription planted", index), owners(world)[index]
        yield Subscription(key, user_id, "basic", "cancelled", starts, starts - timedelta(days=7))


def _role(index: int, world: World) -> str:
    if index < len(owners(world)):
        return "marketer"
    return "admin" if index % 4 == 0 else "viewer"


def _history(rng: Random, joined: datetime, today: datetime) -> Iterator[tuple[str, datetime, datetime | None]]:
    """Yield plan, start and exclusive end of a user's subscriptions: upgrades, downgrades, pauses, cancellations."""
    plan, starts = rng.choices(_PLANS, (5, 4, 1))[0], joined + timedelta(hours=rng.uniform(0, 72))
    for _ in range(rng.choices((0, 1, 2), (6, 3, 1))[0]):
        ends = starts + timedelta(days=rng.uniform(40, 250))
        if ends >= today:
            break
        yield plan, starts, ends
        plan = rng.choices(_PLANS, (3, 5, 2))[0]
        starts = ends + timedelta(days=rng.choice((0, 0, 0, 45)))
    leaves = starts + timedelta(days=rng.uniform(60, 400))
    if starts < today:
        yield plan, starts, leaves if rng.random() < 0.2 and leaves < today else None
