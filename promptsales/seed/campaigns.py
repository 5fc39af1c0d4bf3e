"""Sample campaigns, ad groups and ads."""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from promptsales.seed.names import COUNTRIES, names
from promptsales.seed.planted import PLANTED
from promptsales.seed.promptcontent import approved_asset
from promptsales.seed.promptsales import owners
from promptsales.seed.world import DAYS, World, naive

_THEMES = (
    "Spring launch",
    "Summer sale",
    "Back to school",
    "Black Friday",
    "Always on",
    "Retargeting",
    "Webinar",
    "Demo",
)
_AD_TYPES = ("image", "image", "video", "text")


class Campaign(NamedTuple):
    """A row of ``campaigns``; the field names are the columns."""

    id: UUID
    user_id: UUID | None
    name: str
    objective: str
    budget: Decimal
    status: str
    start_date: datetime | None
    end_date: datetime | None
    currency_code: str
    created_at: datetime


class AdGroup(NamedTuple):
    """A row of ``ad_groups``."""

    id: UUID
    campaign_id: UUID | None
    name: str
    target_audience: Jsonb
    created_at: datetime


class Ad(NamedTuple):
    """A row of ``ads``."""

    id: UUID
    ad_group_id: UUID | None
    content_id: str
    type: str
    status: str
    created_at: datetime


class Flight(NamedTuple):
    """A campaign that ran during the history, its ads, and the part of its flight within the history."""

    number: int
    campaign: Campaign
    ads: tuple[Ad, ...]
    first_day: datetime
    days: int

    @property
    def flight_days(self) -> int:
        """Return the length of the whole flight in days."""
        starts, ends = self.campaign.start_date, self.campaign.end_date
        return (ends - starts).days if starts and ends else 0


@cache
def campaigns(world: World) -> tuple[Campaign, ...]:
    """Return all campaigns; the last two are planted: one ends before it starts, one has no owner."""
    rows = [_campaign(world, index) for index in range(world.scale.campaigns)]
    starts = naive(world.day(-30))
    rows[-2] = rows[-2]._replace(status="draft", start_date=starts, end_date=starts - timedelta(days=14))
    rows[-1] = rows[-1]._replace(status="draft", start_date=None, end_date=None, user_id=None)
    return tuple(rows)


@cache
def ad_groups(world: World) -> tuple[AdGroup, ...]:
    """Return two groups per campaign; the planted ones have no campaign."""
    sound = [
        _ad_group(world, number, campaign)
        for number, campaign in enumerate(campaign for campaign in campaigns(world) for _ in range(2))
    ]
    return (*sound, *(_ad_group(world, len(sound) + index, None) for index in range(PLANTED["ad_groups"])))


@cache
def ads(world: World) -> tuple[Ad, ...]:
    """Return two ads per group; the planted ones have no group."""
    groups = ad_groups(world)[: -PLANTED["ad_groups"]]
    sound = [_ad(world, number, group) for number, group in enumerate(group for group in groups for _ in range(2))]
    planted = (_ad(world, len(sound) + index, groups[0])._replace(ad_group_id=None) for index in range(PLANTED["ads"]))
    return (*sound, *planted)


@cache
def flights(world: World) -> tuple[Flight, ...]:
    """Return the campaigns that ran during the history, without planted ones."""
    campaign_of = {group.id: group.campaign_id for group in ad_groups(world)}
    ads_of: dict[UUID | None, list[Ad]] = {}
    for ad in ads(world):
        if ad.ad_group_id:
            ads_of.setdefault(campaign_of[ad.ad_group_id], []).append(ad)
    return tuple(
        Flight(number, campaign, tuple(ads_of[campaign.id]), first_day, days)
        for number, campaign in enumerate(campaigns(world)[: -PLANTED["campaigns"]])
        for first_day, days in [_days_in_history(world, campaign)]
        if days > 0
    )


@cache
def active_flights(world: World) -> tuple[Flight, ...]:
    """Return the flights that are still running at the anchor."""
    return tuple(flight for flight in flights(world) if flight.campaign.status == "active")


def _days_in_history(world: World, campaign: Campaign) -> tuple[datetime, int]:
    """Return the first day of the flight within the history, and the number of its days there."""
    if campaign.start_date is None or campaign.end_date is None or campaign.status == "draft":
        return world.anchor, 0
    first = max(campaign.start_date.replace(tzinfo=world.anchor.tzinfo), world.day(-world.days))
    after = min(campaign.end_date.replace(tzinfo=world.anchor.tzinfo), world.anchor)
    return first, (after - first).days


def _campaign(world: World, index: int) -> Campaign:
    rng = world.rng("campaign", index)
    # every second campaign is recent, so that some run at the anchor however long the history is
    begin = rng.randint(-DAYS if index % 2 else -world.days, 10)
    length = rng.choice((14, 21, 30, 45, 60, 90, 120))
    dated = rng.random() < 0.95
    return Campaign(
        id=world.id("campaign", index),
        user_id=owners(world)[index % len(owners(world))],
        name=f"{rng.choice(_THEMES)} {rng.choice(names(world.number).words)} {index:03}",
        objective=rng.choice(("brand_awareness", "conversions", "conversions")),
        budget=Decimal(rng.randrange(6, 120) * length * 5),
        status=_status(begin, begin + length, rng.random()) if dated else "draft",
        start_date=naive(world.day(begin)) if dated else None,
        end_date=naive(world.day(begin + length)) if dated else None,
        currency_code=rng.choices(("USD", "EUR", "GBP"), (8, 1, 1))[0],
        created_at=world.day(min(begin, 0) - rng.uniform(1, 20)),
    )


def _status(begin: int, end: int, dice: float) -> str:
    if begin >= 0:
        return "draft"
    if end <= 0:
        return "completed" if dice < 0.8 else "archived"
    return "active" if dice < 0.85 else "paused"


def _ad_group(world: World, number: int, campaign: Campaign | None) -> AdGroup:
    rng = world.rng("ad group", number)
    youngest = rng.choice((18, 25, 35, 45))
    audience: dict[str, Any] = {
        "age_min": youngest,
        "age_max": youngest + 15,
        "countries": sorted(rng.sample(COUNTRIES, rng.randint(1, 4))),
        "interests": rng.sample(names(world.number).words, 3),
    }
    if rng.random() < 0.05:
        audience["remarks"] = rng.choice(names(world.number).sentences)  # a key that the contract does not name
    made = campaign.created_at if campaign else world.day(-50)
    name = f"{'-'.join(audience['countries'])} {youngest}+"
    return AdGroup(world.id("ad group", number), campaign and campaign.id, name, Jsonb(audience), made)


def _ad(world: World, number: int, group: AdGroup) -> Ad:
    rng = world.rng("ad", number)
    kind = rng.choice(_AD_TYPES)
    known = rng.random() < 0.98
    content = approved_asset(world, rng, kind) if known else world.object_id("asset gone", number)
    status = rng.choices(("active", "paused", "archived"), (8, 1, 1))[0]
    return Ad(world.id("ad", number), group.id, str(content), kind, status, group.created_at + timedelta(hours=1))
