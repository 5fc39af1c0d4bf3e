"""Sample leads of the CRM: the person, the origin, and the milestones reached."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple
from uuid import UUID

from promptsales.seed.accounts import account_of, company_of
from promptsales.seed.campaigns import Ad, Flight, flights
from promptsales.seed.names import COUNTRIES, Company, names, phone
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.promptsales import owners
from promptsales.seed.world import World, new_id, wait, weekday_factor

CHUNK = 10_000  # leads created and written at a time, which limits the memory
_PAID = {"paid_social": ("Facebook", "instagram", "linkedin", "tiktok"), "paid_search": ("google", "Bing")}
_UNPAID = ("organic_search", "referral", "email", "event", "unknown")
_REASONS = ("no budget", "no answer", "wrong person", "student", "competitor", "spam")


class LeadPerson(NamedTuple):
    """The person; only this part of a lead holds direct identifiers."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    company_name: str | None = None
    job_title: str | None = None
    country_code: str | None = None
    score: int | None = None


class LeadOrigin(NamedTuple):
    """The source of the lead and what refers to its campaign."""

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


class Milestones(NamedTuple):
    """The status of the lead and the times of its milestones."""

    status: str = "new"
    qualified_at: datetime | None = None
    disqualified_at: datetime | None = None
    disqualified_reason: str | None = None
    converted_at: datetime | None = None
    converted_account_id: UUID | None = None
    converted_contact_id: UUID | None = None
    converted_opportunity_id: UUID | None = None


class Lead(NamedTuple):
    """A row of ``leads``: id and owner, then LeadPerson, LeadOrigin, Milestones, dates; field names are the columns."""

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
    """Yield all valid leads in chunks."""
    sound = world.scale.leads - PLANTED["leads"]
    for number, first in enumerate(range(0, sound, CHUNK)):
        yield _chunk(world, number, min(CHUNK, sound - first))


def planted_leads(world: World) -> Iterator[Lead]:
    """Yield the planted leads, created after their last change, as by an import with a placeholder date."""
    rng = world.rng("lead planted")
    for index in range(PLANTED["leads"]):
        lead = new_lead(world, rng, f"p{index}")
        created = FAR_FUTURE + timedelta(minutes=index)
        yield lead._replace(**Milestones()._asdict(), merged_into_id=None, created_at=created, deleted_at=None)


def new_lead(world: World, rng: Random, unique: str, at: datetime | None = None) -> Lead:
    """Return a lead.

    Args:
        world: the world that the lead belongs to.
        rng: the source of its random values.
        unique: makes its e-mail address unique.
        at: creation time of a new lead; by default a time in the history, followed by milestones.
    """
    source, flight = _source(world, rng)
    owner = (flight and flight.campaign.user_id) or rng.choice(owners(world))
    account = account_of(world, rng, owner)
    first, days = (flight.first_day, flight.days) if flight else (world.day(-world.days), world.days)
    created = at or _moment(rng, first, days)
    milestones = Milestones() if at else _milestones(world, rng, created, account)
    person = _person(world, rng, unique, company_of(world, account))
    deleted = created + wait(rng, 5) if milestones.status != "converted" and rng.random() < 0.012 and not at else None
    if deleted and rng.random() < 0.3:
        person = LeadPerson()  # erased on request: only the id is kept
    origin = _paid(world, rng, source, flight) if flight else _unpaid(rng, source)
    return Lead._make((new_id(rng), owner, *person, *origin, *milestones, None, created, deleted))


def _chunk(world: World, number: int, count: int) -> list[Lead]:
    """Return the leads of one chunk; some repeat the person of the lead before, and some of those are merged."""
    rng = world.rng("leads", number)
    leads: list[Lead] = []
    for index in range(count):
        lead = new_lead(world, rng, str(number * CHUNK + index))
        dice = rng.random()
        if leads and dice < 0.03 and lead.status != "converted":
            lead = _repeat_person(lead, leads[-1], merge=dice < 0.01)
        leads.append(lead)
    return leads


def _repeat_person(lead: Lead, before: Lead, *, merge: bool) -> Lead:
    """Return a lead with the person of the lead before, merged into it on request."""
    survivor = before.merged_into_id or before.id
    same = lead._replace(owner_user_id=before.owner_user_id, first_name=before.first_name, last_name=before.last_name)
    return same._replace(email=before.email, merged_into_id=survivor if merge else None)


@cache
def _cumulative_budgets(world: World) -> list[float]:
    """Return the cumulative budgets of the flights: a campaign that spends more gets more leads."""
    return list(
        accumulate(float(flight.campaign.budget) / flight.flight_days * flight.days for flight in flights(world))
    )


def _source(world: World, rng: Random) -> tuple[str, Flight | None]:
    if rng.random() < 0.38:
        return rng.choice(_UNPAID), None
    return rng.choice(tuple(_PAID)), rng.choices(flights(world), cum_weights=_cumulative_budgets(world))[0]


def _moment(rng: Random, first: datetime, days: int) -> datetime:
    """Return a time in the days, more likely on a working day and in the afternoon."""
    day = first + timedelta(days=rng.randrange(days))
    while rng.random() * 1.2 > weekday_factor(day):
        day = first + timedelta(days=rng.randrange(days))
    return day + timedelta(seconds=rng.triangular(0, 86_399, 50_400))


def _person(world: World, rng: Random, unique: str, company: Company) -> LeadPerson:
    pools = names(world.number)
    name = pools.name(rng)
    return LeadPerson(
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
    """Return an address as people type it into a form, sometimes wrong."""
    dice = rng.random()
    if dice < 0.03:
        return None
    if dice < 0.05:
        return email.replace("@", rng.choice((" at ", "")))
    return f" {email.title()} " if dice < 0.1 else email


def _paid(world: World, rng: Random, source: str, flight: Flight) -> LeadOrigin:
    ad, dice = rng.choice(flight.ads), rng.random()
    platform = rng.choice(_PAID[source])
    return LeadOrigin(
        lead_source=source,
        campaign_id=_campaign_id(rng, flight, dice),
        ad_id=ad.id if dice < 0.3 or 0.55 < dice < 0.65 else None,
        utm_source=platform,
        utm_medium="cpc" if source == "paid_search" else "paid_social",
        utm_campaign=_utm_campaign(flight, dice),
        utm_content=_utm_content(ad, dice),
        utm_term=rng.choice(names(world.number).words) if source == "paid_search" else None,
        click_id=f"{platform[:2].lower()}.{rng.getrandbits(96):x}",
        landing_page_url=f"https://go.promptsales.example/{rng.choice(('demo', 'trial', 'guide'))}?src={platform}",
    )


def _campaign_id(rng: Random, flight: Flight, dice: float) -> UUID | None:
    """Return mostly the campaign's id; one in twenty-five refers to a campaign that does not exist."""
    if dice < 0.55:
        return flight.campaign.id
    return new_id(rng) if dice > 0.96 else None


def _utm_campaign(flight: Flight, dice: float) -> str | None:
    """Return the campaign's name or id, a value that matches no campaign, or None."""
    if dice < 0.75:
        return flight.campaign.name
    if dice < 0.85:
        return str(flight.campaign.id)
    return "newsletter_footer" if dice < 0.96 else None


def _utm_content(ad: Ad, dice: float) -> str | None:
    return str(ad.id) if dice < 0.5 else None


def _unpaid(rng: Random, source: str) -> LeadOrigin:
    if source in ("event", "unknown") or rng.random() < 0.5:
        return LeadOrigin(source)
    medium = {"organic_search": "organic", "referral": "referral", "email": "email"}[source]
    return LeadOrigin(source, utm_source=rng.choice(("google", "partner", "newsletter")), utm_medium=medium)


def _milestones(world: World, rng: Random, created: datetime, account: int) -> Milestones:
    """Return the milestones before the anchor; a recent lead has reached few."""
    at = created + wait(rng, 1.5)
    if at > world.anchor or rng.random() < 0.2:
        return Milestones()
    reached = Milestones("working")
    if rng.random() < 0.45:
        at += wait(rng, 3)
        if at > world.anchor:
            return reached
        reached = Milestones("qualified", qualified_at=at)
    at += wait(rng, 6)
    if at > world.anchor:
        return reached
    if reached.qualified_at and rng.random() < 0.5:
        return _converted(world, rng, reached, at, account)
    if rng.random() < 0.4:
        return reached._replace(status="disqualified", disqualified_at=at, disqualified_reason=rng.choice(_REASONS))
    return reached


def _converted(world: World, rng: Random, reached: Milestones, at: datetime, account: int) -> Milestones:
    return reached._replace(
        status="converted",
        converted_at=at,
        converted_account_id=world.id("account", account),
        converted_contact_id=new_id(rng),
        converted_opportunity_id=new_id(rng) if rng.random() < 0.85 else None,
    )
