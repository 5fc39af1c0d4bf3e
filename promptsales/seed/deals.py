"""Sample contacts, opportunities with their moves through the stages, and activities."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from typing import NamedTuple
from uuid import UUID

from promptsales.seed.accounts import LOST, WON, Contact, prospects, stages
from promptsales.seed.leads import Lead
from promptsales.seed.names import names
from promptsales.seed.planted import PLANTED
from promptsales.seed.world import World, new_id, wait

_LOST_REASONS = ("price", "timing", "competitor", "no decision", "missing feature")


class Opportunity(NamedTuple):
    """A row of ``opportunities`` at its creation, in the first stage; the field names are the columns."""

    id: UUID
    owner_user_id: UUID
    account_id: UUID | None
    primary_contact_id: UUID | None
    source_lead_id: UUID | None
    campaign_id: UUID | None
    name: str
    stage_id: UUID
    stage_entered_at: datetime
    amount: Decimal | None
    currency_code: str
    probability: Decimal | None
    expected_close_date: date
    created_at: datetime


class Move(NamedTuple):
    """A move of an opportunity to another stage."""

    opportunity_id: UUID
    user_id: UUID
    stage_id: UUID
    entered_at: datetime
    amount: Decimal | None
    lost_reason: str | None


class Activity(NamedTuple):
    """A row of ``activities``."""

    id: UUID
    owner_user_id: UUID
    activity_type: str
    direction: str | None
    subject: str
    body: str | None
    lead_id: UUID | None
    contact_id: UUID | None
    account_id: UUID | None
    opportunity_id: UUID | None
    occurred_at: datetime | None
    due_at: datetime | None
    completed_at: datetime | None
    duration_seconds: int | None
    created_at: datetime


def contacts_of(leads: Iterable[Lead]) -> Iterator[Contact]:
    """Yield the contacts of converted leads."""
    for lead in leads:
        if lead.converted_contact_id and lead.converted_at:
            agreed = (lead.score or 0) > 50
            yield Contact(
                lead.converted_contact_id,
                lead.owner_user_id,
                lead.converted_account_id,
                lead.first_name,
                lead.last_name,
                lead.email,
                lead.phone,
                lead.job_title,
                lead.country_code,
                agreed,
                lead.converted_at if agreed else None,
                lead.converted_at,
            )


def opportunities_of(world: World, rng: Random, leads: Iterable[Lead]) -> Iterator[Opportunity]:
    """Yield the opportunities of converted leads."""
    for lead in leads:
        if lead.converted_opportunity_id and lead.converted_at:
            base = new_opportunity(world, rng, lead.owner_user_id, lead.converted_at)
            yield base._replace(
                id=lead.converted_opportunity_id,
                account_id=lead.converted_account_id,
                primary_contact_id=lead.converted_contact_id,
                source_lead_id=lead.id,
                campaign_id=lead.campaign_id,
            )


def direct_opportunities(world: World) -> Iterator[Opportunity]:
    """Yield deals without a lead, for one account in five; some have no account yet."""
    rng = world.rng("direct opportunity")
    for prospect in prospects(world):
        if rng.random() < 0.2:
            base = new_opportunity(world, rng, prospect.owner_user_id, world.day(-rng.uniform(1, world.days)))
            account_id = prospect.account_id if rng.random() < 0.84 else None
            yield base._replace(account_id=account_id, primary_contact_id=prospect.contact_id)


def planted_opportunities(world: World) -> Iterator[Opportunity]:
    """Yield the planted deals, which have an invalid currency."""
    rng = world.rng("opportunity planted")
    for index, prospect in enumerate(islice(prospects(world), PLANTED["opportunities"])):
        base = new_opportunity(world, rng, prospect.owner_user_id, world.day(-20 - index))
        yield base._replace(account_id=prospect.account_id, currency_code="ZZZ")


def moves_of(world: World, rng: Random, opportunities: Iterable[Opportunity]) -> Iterator[Move]:
    """Yield the moves of opportunities up to the anchor."""
    for opportunity in opportunities:
        at, stage, amount = opportunity.created_at, 0, opportunity.amount
        for _ in range(8):
            at += wait(rng, 9)
            # a deal without an account stays open
            stage = next_stage(rng, stage, can_close=opportunity.account_id is not None)
            if at > world.anchor:
                break
            amount = amount and (amount * Decimal(rng.choice((1, 1, 1, "0.9", "1.1")))).quantize(Decimal("0.01"))
            reason = rng.choice(_LOST_REASONS) if stage == LOST else None
            yield Move(opportunity.id, opportunity.owner_user_id, stages(world)[stage].id, at, amount, reason)
            if stage >= WON and rng.random() < 0.97:  # the rest is reopened
                break


def next_stage(rng: Random, stage: int, *, can_close: bool = True) -> int:
    """Return a deal's next stage: mostly the following one, sometimes lost, back or two ahead; never the same."""
    dice = rng.random()
    if stage >= WON:
        return WON - 1
    if dice < 0.2 and can_close:
        return LOST
    if dice < 0.26 and stage > 0:
        return stage - 1
    if dice < 0.32 and stage < WON - 2:
        return stage + 2
    return stage + 1 if can_close or stage + 1 < WON else stage - 1


def activities_of(world: World, rng: Random, leads: Iterable[Lead]) -> Iterator[Activity]:
    """Yield the activities about leads; leads that got further have more."""
    for lead in leads:
        if lead.status != "new" and rng.random() < 0.7:
            base = new_activity(world, rng, lead.owner_user_id, lead.created_at)
            yield base._replace(lead_id=lead.id)
        if lead.converted_opportunity_id and lead.converted_at:
            base = new_activity(world, rng, lead.owner_user_id, lead.converted_at)
            yield base._replace(
                opportunity_id=lead.converted_opportunity_id,
                contact_id=lead.converted_contact_id,
                account_id=lead.converted_account_id,
            )


def planted_activities(world: World) -> Iterator[Activity]:
    """Yield the planted activities, which are calls of more than a day."""
    rng = world.rng("activity planted")
    for index, prospect in enumerate(islice(prospects(world), PLANTED["activities"])):
        base = new_activity(world, rng, prospect.owner_user_id, world.day(-10))
        yield base._replace(account_id=prospect.account_id, activity_type="call", duration_seconds=90_000 + index)


def new_opportunity(world: World, rng: Random, owner: UUID, at: datetime) -> Opportunity:
    """Return an opportunity in the first stage, without account, contact or lead."""
    amount = Decimal(int(rng.lognormvariate(9, 0.9))) if rng.random() < 0.95 else None
    return Opportunity(
        id=new_id(rng),
        owner_user_id=owner,
        account_id=None,
        primary_contact_id=None,
        source_lead_id=None,
        campaign_id=None,
        name=f"{rng.choice(names(world.number).words)} {rng.choice(('rollout', 'pilot', 'renewal', 'upgrade'))}",
        stage_id=stages(world)[0].id,
        stage_entered_at=at,
        amount=amount,
        currency_code=rng.choices(("USD", "EUR", "GBP"), (8, 1, 1))[0],
        probability=Decimal(rng.randrange(5, 95)).scaleb(-2) if rng.random() < 0.15 else None,
        expected_close_date=(at + timedelta(days=rng.randrange(20, 120))).date(),
        created_at=at,
    )


def new_activity(world: World, rng: Random, owner: UUID, after: datetime) -> Activity:
    """Return an activity without a parent; a task is due later, all others have happened."""
    kind = rng.choices(("call", "email", "meeting", "note", "task"), (4, 6, 2, 2, 2))[0]
    at = min(after + wait(rng, 2), world.anchor)
    timed = kind in ("call", "meeting")
    return Activity(
        id=new_id(rng),
        owner_user_id=owner,
        activity_type=kind,
        direction=rng.choice(("inbound", "outbound")) if kind in ("call", "email") else "internal",
        subject=rng.choice(names(world.number).sentences)[:255],
        body=rng.choice(names(world.number).sentences) if rng.random() < 0.5 else None,
        lead_id=None,
        contact_id=None,
        account_id=None,
        opportunity_id=None,
        occurred_at=None if kind == "task" else at,
        due_at=at + timedelta(days=7) if kind == "task" else None,
        completed_at=at if timed else None,
        duration_seconds=int(rng.lognormvariate(6.5, 0.8)) if timed else None,
        created_at=after,
    )
