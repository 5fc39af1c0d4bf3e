"""Campaigns, ads and their metrics."""

from decimal import Decimal
from itertools import islice, takewhile

from promptsales.seed.campaigns import active_flights, ad_groups, ads, campaigns, flights
from promptsales.seed.metrics import ad_metrics, campaign_metrics, campaign_metrics_of, measures, pace
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.promptcontent import assets
from promptsales.seed.promptsales import users
from promptsales.seed.world import World, naive


def test_same_seed_same_rows(world: World, same_world: World) -> None:
    for rows in (campaign_metrics, ad_metrics):
        assert list(islice(rows(world), 2_000)) == list(islice(rows(same_world), 2_000))
    assert ads(world) == ads(same_world)


def test_campaigns(world: World) -> None:
    planned = campaigns(world)
    owners = {user.id for user in users(world)}
    upside_down = [
        campaign
        for campaign in planned
        if campaign.start_date and campaign.end_date and campaign.end_date < campaign.start_date
    ]
    orphans = [campaign for campaign in planned if campaign.user_id is None]

    assert len(planned) == world.scale.campaigns
    assert len(upside_down) + len(orphans) == PLANTED["campaigns"]
    assert {campaign.user_id for campaign in planned} - {None} <= owners
    assert len(active_flights(world)) > 10


def test_ads_belong_to_groups_but_for_the_planted(world: World) -> None:
    groups = {group.id for group in ad_groups(world)}

    assert sum(group.campaign_id is None for group in ad_groups(world)) == PLANTED["ad_groups"]
    assert sum(ad.ad_group_id is None for ad in ads(world)) == PLANTED["ads"]
    assert {ad.ad_group_id for ad in ads(world)} - {None} <= groups


def test_ads_show_approved_assets_of_their_type(world: World) -> None:
    shown = {str(asset["_id"]): (asset["type"].removesuffix("_copy"), asset["status"]) for asset in assets(world)}
    matches = [shown.get(ad.content_id) == (ad.type, "approved") for ad in ads(world)]
    unknown = sum(ad.content_id not in shown for ad in ads(world))

    assert 0 < unknown < 10
    assert sum(matches) == len(matches) - unknown


def test_metrics_lie_in_the_flight(world: World) -> None:
    campaign_of = {flight.campaign.id: flight.campaign for flight in flights(world)}
    bad = 0
    for row in campaign_metrics(world):
        if row.impressions is None or row.clicks < 0 or row.timestamp >= naive(FAR_FUTURE):
            bad += 1
            continue
        campaign = campaign_of[row.campaign_id]
        assert campaign.start_date
        assert campaign.end_date
        assert campaign.start_date <= row.timestamp < min(campaign.end_date, naive(world.anchor))
        assert row.clicks <= row.impressions
    assert bad == PLANTED["campaign_metrics"]


def test_ads_bring_less_than_their_campaign(world: World) -> None:
    first = flights(world)[0]
    ids = {ad.id for ad in first.ads}
    rows = takewhile(lambda row: row.ad_id in ids, ad_metrics(world))
    of_ads = sum((row.spend for row in rows), Decimal())
    of_campaign = sum((row.spend for row in campaign_metrics_of(world, first)), Decimal())

    assert Decimal("0.9") < of_ads / of_campaign < 1


def test_what_was_not_shown_costs_nothing(world: World) -> None:
    rng, how = world.rng("test", 1), pace(world, flights(world)[0])
    measurements = [measures(rng, how, 1e-5) for _ in range(1_000)]

    assert {measured.spend for measured in measurements if not measured.impressions} == {Decimal(0)}
    assert any(measured.spend for measured in measurements)
