"""What campaigns and ads brought: additive deltas, several a day, with weekdays, day parts and late conversions."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple
from uuid import UUID

from promptsales.seed.campaigns import Running, running
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.world import World, naive, weekday_factor

_HOURS = range(1, 24, 2)
# share of a day's impressions seen in each of those hours: night, morning, working day, evening
_DAY_PART = (0.02, 0.01, 0.02, 0.06, 0.1, 0.11, 0.11, 0.11, 0.11, 0.13, 0.14, 0.08)
_AT_AD_LEVEL = 0.95  # the rest of the delivery belongs to no single ad, so ads never add up to their campaign


class Measures(NamedTuple):
    """What both tables measure."""

    impressions: int | None
    clicks: int
    spend: Decimal
    conversions: int


class CampaignMetric(NamedTuple):
    """A row of ``campaign_metrics``; the source numbers it."""

    campaign_id: UUID
    timestamp: datetime
    impressions: int | None
    clicks: int
    spend: Decimal
    conversions: int


class AdMetric(NamedTuple):
    """A row of ``ad_metrics``; the source numbers it."""

    ad_id: UUID
    timestamp: datetime
    impressions: int | None
    clicks: int
    spend: Decimal
    conversions: int


class Pace(NamedTuple):
    """How a campaign performs."""

    daily_spend: float
    cost_per_mille: float
    click_rate: float
    conversion_rate: float


def campaign_metrics(world: World) -> Iterator[CampaignMetric]:
    """Twelve rows a campaign and day of its flight; then the planted ones."""
    for ran in running(world):
        yield from campaign_metrics_of(world, ran)
    for measures, at in _planted(world, PLANTED["campaign_metrics"]):
        yield CampaignMetric(running(world)[0].campaign.id, at, *measures)


def ad_metrics(world: World) -> Iterator[AdMetric]:
    """One row an ad and day: its share of what the campaign brought; then the planted ones."""
    for ran in running(world):
        yield from _of_ads(world, ran)
    for measures, at in _planted(world, PLANTED["ad_metrics"]):
        yield AdMetric(running(world)[0].ads[0].id, at, *measures)


def pace(world: World, ran: Running) -> Pace:
    """How one campaign performs; the same in every call."""
    rng = world.rng("pace", ran.number)
    brand = ran.campaign.objective == "brand_awareness"
    return Pace(
        daily_spend=float(ran.campaign.budget) / ran.flight_days * rng.uniform(0.6, 1.2),
        cost_per_mille=rng.uniform(3, 8) if brand else rng.uniform(6, 16),
        click_rate=rng.uniform(0.003, 0.01) if brand else rng.uniform(0.008, 0.03),
        conversion_rate=rng.uniform(0.005, 0.02) if brand else rng.uniform(0.02, 0.07),
    )


def measures(rng: Random, how: Pace, share_of_day: float) -> Measures:
    """What a part of a day brings at a pace; what was not shown costs nothing."""
    spend = max(0.0, how.daily_spend * share_of_day * rng.gauss(1, 0.15))
    impressions = _about(rng, 1000 * spend / how.cost_per_mille)
    clicks = min(impressions, _about(rng, impressions * how.click_rate))
    return Measures(impressions, clicks, _money(spend if impressions else 0), _about(rng, clicks * how.conversion_rate))


def campaign_metrics_of(world: World, ran: Running) -> Iterator[CampaignMetric]:
    """The sound rows of one campaign."""
    rng, how = world.rng("campaign metric", ran.number), pace(world, ran)
    for day in (ran.first_day + timedelta(days=offset) for offset in range(ran.days)):
        for hour, part in zip(_HOURS, _DAY_PART, strict=True):
            at = naive(day + timedelta(hours=hour))
            yield CampaignMetric(ran.campaign.id, at, *measures(rng, how, part * weekday_factor(day)))
            if rng.random() < 0.01:  # a late conversion is a row of its own with the time of the click
                yield CampaignMetric(ran.campaign.id, at, 0, 0, Decimal(0), 1)


def _of_ads(world: World, ran: Running) -> Iterator[AdMetric]:
    rng = world.rng("ad metric", ran.number)
    days: dict[datetime, list[CampaignMetric]] = defaultdict(list)
    for row in campaign_metrics_of(world, ran):
        days[row.timestamp.replace(hour=0)].append(row)
    weights = [rng.uniform(0.5, 2) for _ in ran.ads]
    for day, rows in days.items():
        for ad, weight in zip(ran.ads, weights, strict=True):
            share = _AT_AD_LEVEL * weight / sum(weights)
            yield AdMetric(ad.id, day + timedelta(hours=18), *_share(rng, rows, share))


def _share(rng: Random, rows: list[CampaignMetric], share: float) -> Measures:
    return Measures(
        int(share * sum(row.impressions or 0 for row in rows)),
        int(share * sum(row.clicks for row in rows)),
        _money(share * float(sum(row.spend for row in rows))),
        int(share * sum(row.conversions for row in rows) + rng.random()),
    )


def _planted(world: World, count: int) -> Iterator[tuple[Measures, datetime]]:
    """A measure missing, a measure below zero, measured in the future; in turn."""
    sound = Measures(1000, 10, Decimal("5.0000"), 1)
    kinds = (
        (sound._replace(impressions=None), naive(world.day(-2))),
        (sound._replace(clicks=-10), naive(world.day(-3))),
        (sound, naive(FAR_FUTURE)),
    )
    for index in range(count):
        found, at = kinds[index % len(kinds)]
        yield found, at + timedelta(minutes=index)


def _about(rng: Random, mean: float) -> int:
    """A count around a mean, spread as counts are: by the root of the mean, and never lost to rounding when small."""
    return max(0, int(rng.gauss(mean, mean**0.5) + rng.random()))


def _money(amount: float) -> Decimal:
    """An amount with the four decimals of the column."""
    return Decimal(round(amount * 10_000)).scaleb(-4)
