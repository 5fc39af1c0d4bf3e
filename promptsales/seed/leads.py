"""Leads of the CRM: who, where from, and how far they got."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple
from uuid import UUID

from promptsales.seed.accounts import account_of, company_of
from promptsales.seed.campaigns import Ad, Running, running
from promptsales.seed.names import COUNTRIES, Company, names, phone
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.promptsales import owners
from promptsales.seed.world import World, new_id, wait, weekday_factor

CHUNK = 10_000  # leads made and written at a time: bounds the memory
_PAID = {"paid_social": ("Facebook", "instagram", "linkedin", "tiktok"), "paid_search": ("google", "Bing")}
_UNPAID = ("organic_search", "referral", "email", "event", "unknown")
_REASONS = ("no budget", "no answer", "wrong person", "student", "competitor", "spam")


class Who(NamedTuple):
    """The person; only this part holds direct identifiers."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    company_name: str | None = None
    job_title: str | None = None
    country_code: str | None = None
    score: int | None = None


class Origin(NamedTuple):
    """Where the lead came from."""

    lead_source: str
    campaign_id: UUID | None = None
    ad_id: UUID | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    click_id: str | None = None
    landing_page_url: str | None = None


class Life(NamedTuple):
    """How far the lead got."""

    status: str = "new"
    qualified_at: datetime | None = None
    disqualified_at: datetime | None = None
    disqualified_reason: str | None = None
    converted_at: datetime | None = None
    converted_account_id: UUID | None = None
    converted_contact_id: UUID | None = None
    converted_opportunity_id: UUID | None = None


class Lead(NamedTuple):
    """A row of ``leads``: id and owner, who, where from, life, dates; the field names are the columns."""

    id: UUID
    owner_user_id: UUID
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    company_name: str | None
    job_title: str | None
    country_code: str | None
    score: int | None
    lead_source: str
    campaign_id: UUID | None
    ad_id: UUID | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    utm_content: str | None
    utm_term: str | None
    click_id: str | None
    landing_page_url: str | None
    status: str
    qualified_at: datetime | None
    disqualified_at: datetime | None
    disqualified_reason: str | None
    converted_at: datetime | None
    converted_account_id: UUID | None
    converted_contact_id: UUID | None
    converted_opportunity_id: UUID | None
    merged_into_id: UUID | None
    created_at: datetime
    deleted_at: datetime | None


def lead_chunks(world: World) -> Iterator[list[Lead]]:
    """All sound leads, some thousands at a time."""
    sound = world.scale.leads - PLANTED["leads"]
    for number, first in enumerate(range(0, sound, CHUNK)):
        yield _chunk(world, number, min(CHUNK, sound - first))


def planted_leads(world: World) -> Iterator[Lead]:
    """The bad leads: created after their last change, as an import with a placeholder date leaves them."""
    rng = world.rng("lead planted")
    for index in range(PLANTED["leads"]):
        lead = new_lead(world, rng, f"p{index}")
        born = FAR_FUTURE + timedelta(minutes=index)
        yield Lead._make((*lead[:20], *Life(), None, born, None))


def new_lead(world: World, rng: Random, unique: str, at: datetime | None = None) -> Lead:
    """One lead.

    Args:
        world: what the lead refers to.
        rng: where its values come from.
        unique: keeps its e-mail address apart from all others.
        at: when it is created, and new; by default some time in the history, with the life that followed.
    """
    source, ran = _source(world, rng)
    owner = (ran and ran.campaign.user_id) or rng.choice(owners(world))
    account = account_of(world, rng, owner)
    created = at or (_moment(rng, ran.first_day, ran.days) if ran else _moment(rng, world.day(-world.days), world.days))
    life = Life() if at else _life(world, rng, created, account)
    who = _who(world, rng, unique, company_of(world, account))
    deleted = created + wait(rng, 5) if life.status != "converted" and rng.random() < 0.012 and not at else None
    if deleted and rng.random() < 0.3:
        who = Who()  # erased on request: the id stays
    origin = _paid(world, rng, source, ran) if ran else _unpaid(rng, source)
    return Lead._make((new_id(rng), owner, *who, *origin, *life, None, created, deleted))


def _chunk(world: World, number: int, rows: int) -> list[Lead]:
    """Leads of one chunk; some are the same person once more, some merged into another."""
    rng = world.rng("leads", number)
    found: list[Lead] = []
    for index in range(rows):
        lead = new_lead(world, rng, str(number * CHUNK + index))
        dice = rng.random()
        if found and dice < 0.03 and lead.status != "converted":
            lead = _once_more(lead, found[-1], merge=dice < 0.01)
        found.append(lead)
    return found


def _once_more(lead: Lead, before: Lead, *, merge: bool) -> Lead:
    """The person of the lead before again; merged when somebody noticed."""
    survivor = before.merged_into_id or before.id
    same = lead._replace(owner_user_id=before.owner_user_id, first_name=before.first_name, last_name=before.last_name)
    return same._replace(email=before.email, merged_into_id=survivor if merge else None)


@cache
def _ran(world: World) -> tuple[tuple[Running, ...], list[float]]:
    """The campaigns that ran, and their cumulated weights: who spends more gets more leads."""
    found = running(world)
    return found, list(accumulate(float(ran.campaign.budget) / ran.flight_days * ran.days for ran in found))


def _source(world: World, rng: Random) -> tuple[str, Running | None]:
    if rng.random() < 0.38:
        return rng.choice(_UNPAID), None
    found, weights = _ran(world)
    return rng.choice(tuple(_PAID)), rng.choices(found, cum_weights=weights)[0]


def _moment(rng: Random, first: datetime, days: int) -> datetime:
    """Some time in the days, more likely on a working day and in the afternoon."""
    day = first + timedelta(days=rng.randrange(days))
    while rng.random() * 1.2 > weekday_factor(day):
        day = first + timedelta(days=rng.randrange(days))
    return day + timedelta(seconds=rng.triangular(0, 86_399, 50_400))


def _who(world: World, rng: Random, unique: str, company: Company) -> Who:
    pools = names(world.number)
    name = pools.name(rng)
    return Who(
        name.first,
        name.last,
        _as_typed(rng, pools.email(rng, name, unique, company.slug)),
        phone(rng) if rng.random() < 0.6 else None,
        company.name,
        rng.choice(pools.jobs) if rng.random() < 0.8 else None,
        rng.choice(COUNTRIES),
        min(100, max(0, int(rng.gauss(50, 20)))) if rng.random() < 0.95 else None,
    )


def _as_typed(rng: Random, email: str) -> str | None:
    """An address as people leave it in a form: mostly right."""
    dice = rng.random()
    if dice < 0.03:
        return None
    if dice < 0.05:
        return email.replace("@", rng.choice((" at ", "")))
    return f" {email.title()} " if dice < 0.1 else email


def _paid(world: World, rng: Random, source: str, ran: Running) -> Origin:
    ad, dice = rng.choice(ran.ads), rng.random()
    platform = rng.choice(_PAID[source])
    return Origin(
        lead_source=source,
        campaign_id=_campaign_id(rng, ran, dice),
        ad_id=ad.id if dice < 0.3 or 0.55 < dice < 0.65 else None,
        utm_source=platform,
        utm_medium="cpc" if source == "paid_search" else "paid_social",
        utm_campaign=_utm_campaign(ran, dice),
        utm_content=_utm_content(ad, dice),
        utm_term=rng.choice(names(world.number).words) if source == "paid_search" else None,
        click_id=f"{platform[:2].lower()}.{rng.getrandbits(96):x}",
        landing_page_url=f"https://go.promptsales.example/{rng.choice(('demo', 'trial', 'guide'))}?src={platform}",
    )


def _campaign_id(rng: Random, ran: Running, dice: float) -> UUID | None:
    """Mostly the campaign's id; one in twenty-five names a campaign that is not there."""
    if dice < 0.55:
        return ran.campaign.id
    return new_id(rng) if dice > 0.96 else None


def _utm_campaign(ran: Running, dice: float) -> str | None:
    """The campaign's name or id, something that matches nothing, or nothing."""
    if dice < 0.75:
        return ran.campaign.name
    if dice < 0.85:
        return str(ran.campaign.id)
    return "newsletter_footer" if dice < 0.96 else None


def _utm_content(ad: Ad, dice: float) -> str | None:
    return str(ad.id) if dice < 0.5 else None


def _unpaid(rng: Random, source: str) -> Origin:
    if source in ("event", "unknown") or rng.random() < 0.5:
        return Origin(source)
    medium = {"organic_search": "organic", "referral": "referral", "email": "email"}[source]
    return Origin(source, utm_source=rng.choice(("google", "partner", "newsletter")), utm_medium=medium)


def _life(world: World, rng: Random, created: datetime, account: int) -> Life:
    """The steps that happened before the anchor: a young lead has not got far yet."""
    at = created + wait(rng, 1.5)
    if at > world.anchor or rng.random() < 0.2:
        return Life()
    life = Life("working")
    if rng.random() < 0.45:
        at += wait(rng, 3)
        if at > world.anchor:
            return life
        life = Life("qualified", qualified_at=at)
    at += wait(rng, 6)
    if at > world.anchor:
        return life
    if life.qualified_at and rng.random() < 0.5:
        return _converted(world, rng, life, at, account)
    if rng.random() < 0.4:
        return life._replace(status="disqualified", disqualified_at=at, disqualified_reason=rng.choice(_REASONS))
    return life


def _converted(world: World, rng: Random, life: Life, at: datetime, account: int) -> Life:
    return life._replace(
        status="converted",
        converted_at=at,
        converted_account_id=world.id("account", account),
        converted_contact_id=new_id(rng),
        converted_opportunity_id=new_id(rng) if rng.random() < 0.85 else None,
    )
