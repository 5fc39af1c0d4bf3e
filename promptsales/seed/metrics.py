"""Sample metrics of campaigns and ads: several deltas per day, with weekdays, parts of the day and late conversions."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple
from uuid import UUID

from promptsales.seed.campaigns import Flight, flights
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.world import World, naive, weekday_factor

_HOURS = range(1, 24, 2)
# share of a day's impressions in each of these hours: night, morning, working day, evening
_DAY_PART = (0.02, 0.01, 0.02, 0.06, 0.1, 0.11, 0.11, 0.11, 0.11, 0.13, 0.14, 0.08)
_AT_AD_LEVEL = 0.95  # the rest belongs to no ad, so the ads of a campaign never add up to it


class Measures(NamedTuple):
    """The measures of both tables."""

    impressions: int | None
    clicks: int
    spend: Decimal
    conversions: int


class CampaignMetric(NamedTuple):
    """A row of ``campaign_metrics``; the source assigns its id."""

    campaign_id: UUID
    timestamp: datetime
    impressions: int | None
    clicks: int
    spend: Decimal
    conversions: int


class AdMetric(NamedTuple):
    """A row of ``ad_metrics``; the source assigns its id."""

    ad_id: UUID
    timestamp: datetime
    impressions: int | None
    clicks: int
    spend: Decimal
    conversions: int


class Pace(NamedTuple):
    """The performance of a campaign."""

    daily_spend: float
    cost_per_mille: float
    click_rate: float
    conversion_rate: float


def campaign_metrics(world: World) -> Iterator[CampaignMetric]:
    """Yield twelve rows per campaign and day of its flight, then the planted rows."""
    for flight in flights(world):
        yield from campaign_metrics_of(world, flight)
    for measures, at in _planted(world, PLANTED["campaign_metrics"]):
        yield CampaignMetric(flights(world)[0].campaign.id, at, *measures)


def ad_metrics(world: World) -> Iterator[AdMetric]:
    """Yield one row per ad and day with its share of the campaign's measures, then the planted rows."""
    for flight in flights(world):
        yield from _ad_metrics_of(world, flight)
    for measures, at in _planted(world, PLANTED["ad_metrics"]):
        yield AdMetric(flights(world)[0].ads[0].id, at, *measures)


def pace(world: World, flight: Flight) -> Pace:
    """Return the performance of a campaign; the same in every call."""
    rng = world.rng("pace", flight.number)
    brand = flight.campaign.objective == "brand_awareness"
    return Pace(
        daily_spend=float(flight.campaign.budget) / flight.flight_days * rng.uniform(0.6, 1.2),
        cost_per_mille=rng.uniform(3, 8) if brand else rng.uniform(6, 16),
        click_rate=rng.uniform(0.003, 0.01) if brand else rng.uniform(0.008, 0.03),
        conversion_rate=rng.uniform(0.005, 0.02) if brand else rng.uniform(0.02, 0.07),
    )


def measures(rng: Random, performance: Pace, share_of_day: float) -> Measures:
    """Return the measures of a part of a day; without impressions there is no spend."""
    spend = max(0.0, performance.daily_spend * share_of_day * rng.gauss(1, 0.15))
    impressions = _about(rng, 1000 * spend / performance.cost_per_mille)
    clicks = min(impressions, _about(rng, impressions * performance.click_rate))
    conversions = _about(rng, clicks * performance.conversion_rate)
    return Measures(impressions, clicks, _money(spend if impressions else 0), conversions)


def campaign_metrics_of(world: World, flight: Flight) -> Iterator[CampaignMetric]:
    """Yield the valid rows of one campaign."""
    rng, performance = world.rng("campaign metric", flight.number), pace(world, flight)
    for day in (flight.first_day + timedelta(days=offset) for offset in range(flight.days)):
        for hour, part in zip(_HOURS, _DAY_PART, strict=True):
            at = naive(day + timedelta(hours=hour))
            yield CampaignMetric(flight.campaign.id, at, *measures(rng, performance, part * weekday_factor(day)))
            if rng.random() < 0.01:  # a late conversion is a separate row with the time of the click
                yield CampaignMetric(flight.campaign.id, at, 0, 0, Decimal(0), 1)


def _ad_metrics_of(world: World, flight: Flight) -> Iterator[AdMetric]:
    rng = world.rng("ad metric", flight.number)
    days: dict[datetime, list[CampaignMetric]] = defaultdict(list)
    for row in campaign_metrics_of(world, flight):
        days[row.timestamp.replace(hour=0)].append(row)
    weights = [rng.uniform(0.5, 2) for _ in flight.ads]
    for day, rows in days.items():
        for ad, weight in zip(flight.ads, weights, strict=True):
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
    """Yield in turn rows with a missing measure, a negative measure, and a time in the future."""
    sound = Measures(1000, 10, Decimal("5.0000"), 1)
    kinds = (
        (sound._replace(impressions=None), naive(world.day(-2))),
        (sound._replace(clicks=-10), naive(world.day(-3))),
        (sound, naive(FAR_FUTURE)),
    )
    for index in range(count):
        values, at = kinds[index % len(kinds)]
        yield values, at + timedelta(minutes=index)


def _about(rng: Random, mean: float) -> int:
    """Return a random count whose deviation is the root of its mean; rounded at random, so that small means count."""
    return max(0, int(rng.gauss(mean, mean**0.5) + rng.random()))


def _money(amount: float) -> Decimal:
    """Return an amount with the four decimals of the column."""
    return Decimal(round(amount * 10_000)).scaleb(-4)
