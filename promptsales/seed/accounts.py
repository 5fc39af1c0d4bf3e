"""Sample accounts of the CRM with one contact each, and the stages of its pipeline."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import NamedTuple
from uuid import UUID

from promptsales.seed.names import COUNTRIES, Company, names, phone
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.promptsales import owners
from promptsales.seed.world import DAYS, World

_INDUSTRIES = ("software", "retail", "finance", "health", "education", "manufacturing", "media", "travel")


class Account(NamedTuple):
    """A row of ``accounts``; the field names are the columns."""

    id: UUID
    owner_user_id: UUID
    name: str
    domain: str
    industry: str
    employee_count: int
    annual_revenue: Decimal | None
    country_code: str
    account_type: str
    created_at: datetime


class Contact(NamedTuple):
    """A row of ``contacts``."""

    id: UUID
    owner_user_id: UUID
    account_id: UUID | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    job_title: str | None
    country_code: str | None
    email_opt_in: bool
    consent_at: datetime | None
    created_at: datetime


class Stage(NamedTuple):
    """A row of ``pipeline_stages``."""

    id: UUID
    name: str
    position: int
    default_probability: Decimal
    is_closed: bool
    is_won: bool
    created_at: datetime


class Prospect(NamedTuple):
    """An account that deals can be made with, its owner and its contact."""

    owner_user_id: UUID
    account_id: UUID
    contact_id: UUID


_STAGES = (
    ("Prospecting", "0.10"),
    ("Qualification", "0.25"),
    ("Proposal", "0.50"),
    ("Negotiation", "0.75"),
    ("Won", "1"),
    ("Lost", "0"),
)
WON, LOST = 4, 5


@cache
def stages(world: World) -> tuple[Stage, ...]:
    """Return the default pipeline: four open stages, then won and lost."""
    return tuple(
        Stage(
            world.id("stage", at), name, at, Decimal(chance), at >= WON, at == WON, world.day(DAYS - world.days - 800)
        )
        for at, (name, chance) in enumerate(_STAGES)
    )


def accounts(world: World) -> Iterator[Account]:
    """Yield all accounts; the last ones are planted, with a creation time in the far future."""
    return (_account(world, index) for index in range(world.scale.accounts))


def account_contacts(world: World) -> Iterator[Contact]:
    """Yield one contact per account; the contacts of planted accounts are planted too."""
    return (_contact(world, account, index) for index, account in enumerate(accounts(world)))


def account_of(world: World, rng: Random, owner: UUID) -> int:
    """Return the number of a random valid account of an owner."""
    step = len(owners(world))
    return _number_of(world)[owner] + step * rng.randrange((world.scale.accounts - PLANTED["accounts"]) // step)


def prospects(world: World) -> Iterator[Prospect]:
    """Yield the accounts that are not planted, with their owners and contacts."""
    for index in range(world.scale.accounts - PLANTED["accounts"]):
        owner = owners(world)[index % len(owners(world))]
        yield Prospect(owner, world.id("account", index), world.id("account contact", index))


@cache
def _number_of(world: World) -> dict[UUID, int]:
    """Return the number of each owner, which is the number of their first account."""
    return {owner: number for number, owner in enumerate(owners(world))}


def company_of(world: World, index: int) -> Company:
    """Return the company of an account, with a domain of its own."""
    companies = names(world.number).companies
    company = companies[index % len(companies)]
    return Company(company.name, f"{company.slug}{index}.example")


def _account(world: World, index: int) -> Account:
    rng, company = world.rng("account", index), company_of(world, index)
    employees = int(rng.lognormvariate(4, 1.5))
    return Account(
        id=world.id("account", index),
        owner_user_id=owners(world)[index % len(owners(world))],
        name=company.name,
        domain=company.slug,
        industry=rng.choice(_INDUSTRIES),
        employee_count=employees,
        annual_revenue=Decimal(employees * rng.randrange(40_000, 250_000)) if rng.random() < 0.7 else None,
        country_code=rng.choice(COUNTRIES),
        account_type=rng.choices(("prospect", "partner", "former_customer"), (18, 1, 1))[0],
        created_at=_created(world, rng, index - (world.scale.accounts - PLANTED["accounts"])),
    )


def _created(world: World, rng: Random, planted: int) -> datetime:
    if planted >= 0:
        return FAR_FUTURE + timedelta(minutes=planted)
    return world.day(DAYS - world.days - rng.uniform(DAYS, 700))


def _contact(world: World, account: Account, index: int) -> Contact:
    rng, pools = world.rng("account contact", index), names(world.number)
    name = pools.name(rng)
    agreed = rng.random() < 0.5
    return Contact(
        id=world.id("account contact", index),
        owner_user_id=account.owner_user_id,
        account_id=account.id,
        first_name=name.first,
        last_name=name.last,
        email=f"{name.slug}@{account.domain}",
        phone=phone(rng) if rng.random() < 0.6 else None,
        job_title=rng.choice(pools.jobs),
        country_code=account.country_code,
        email_opt_in=agreed,
        consent_at=account.created_at if agreed else None,
        created_at=account.created_at,
    )
