"""Files of an ad platform: figures after the planned end, no dates, no budget, amounts with the digits of a float."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.settings import Settings
from tests.integration.marts.conftest import Build
from tests.integration.public_shapes.conftest import FILES, Show
from tests.support.core_rows import uid
from tests.support.snapshots import file_rows, snapshot

LATE, OVER, UNDATED, FREE, OWNER = (uid(name) for name in ("late", "over", "undated", "free", "owner"))
_CAMPAIGN = """
    insert into promptads.campaigns (id, user_id, name, objective, budget, status, start_date, end_date)
    values (%(id)s, %(owner)s, %(campaign)s, 'conversions', %(budget)s, 'completed', %(starts)s, %(ends)s)
"""
_OWNER = """
    insert into promptsales.users (id, email, password_hash, role) values (%s, 'owner@example.com', 'x', 'viewer')
"""
_GROUP = "insert into promptads.ad_groups (id, campaign_id, name) values (%(id)s, %(id)s, 'all')"
_AD = """
    insert into promptads.ads (id, ad_group_id, content_id, type, status)
    values (%(id)s, %(id)s, %(campaign)s, 'image', 'paused')
"""
_DAY = """
    insert into promptads.{table} ({key}, timestamp, impressions, clicks, spend, conversions)
    values (%(id)s, %(day)s, %(impressions)s, %(clicks)s, %(spend)s, %(conversions)s)
"""
_DAYS = [_DAY.format(table="campaign_metrics", key="campaign_id"), _DAY.format(table="ad_metrics", key="ad_id")]


@pytest.fixture
def owner(stack: Settings) -> Iterator[None]:
    """Add the user who owns the campaigns."""
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as connection:
        connection.execute(_OWNER, [OWNER])
        yield
        connection.execute("delete from promptsales.users where id = %s", [OWNER])


@pytest.fixture
def ads(stack: Settings, owner: None) -> Iterator[psycopg.Connection]:
    """Write the files' campaigns, each with one ad, into an empty PromptAds; connect as its owner."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as connection:
        connection.execute("truncate promptads.campaigns, promptads.ad_metrics cascade")
        for campaign in file_rows(FILES / "ads_campaigns.csv"):
            for statement in (_CAMPAIGN, _GROUP, _AD):
                connection.execute(statement, {**campaign, "id": uid(campaign["campaign"]), "owner": OWNER})
        for day in file_rows(FILES / "ads_days.csv"):
            for statement in _DAYS:
                connection.execute(statement.encode(), {**day, "id": uid(day["campaign"])})
        yield connection
        connection.execute("truncate promptads.campaigns, promptads.ad_metrics cascade")


def test_ads_with_figures_after_their_flight(
    ads: psycopg.Connection, loader: psycopg.Connection, run: Build, show: Show
) -> None:
    snapshot(ads, loader, "campaigns", "ad_groups", "ads", "campaign_metrics", "ad_metrics")
    assert loader.execute("select count(*) from ops.quarantine").fetchone() == (0,)
    run("campaign_performance_daily", "campaign_pacing_daily", "creative_performance_daily")
    assert show("campaign_performance_daily") == sorted(
        (campaign, f"2024-03-{day}", "USD", name, OWNER, *figures, has_data, "true" if day >= "08" else "false")
        for campaign, name, day, *figures, has_data in PERFORMANCE
    )
    assert show("campaign_pacing_daily") == sorted(PACING, key=lambda row: tuple(map(str, row)))
    assert show("creative_performance_daily") == sorted(
        (
            name,
            f"2024-03-{day}",
            "USD",
            "Unknown",
            "Unknown",
            "1",
            *figures,
            "true" if day >= "08" else "false",
            "false",
        )
        for _, name, day, *figures, has_data in PERFORMANCE
        if has_data == "true"
    )


def test_live_figures_count_what_comes_late(ads: psycopg.Connection, loader: psycopg.Connection) -> None:
    snapshot(ads, loader, "campaigns", "campaign_metrics")
    totals = loader.execute("select name, budget::text, spend::text, budget_level_pct from realtime.live_campaign")
    assert sorted(totals.fetchall()) == [
        ("free", "0.00", "3.0000", 0),
        ("late", "20.00", "9.4300", 0),
        ("over", "10.00", "10.0001", 100),
        ("undated", "50.00", "0.7500", 0),
    ]
    alerts = loader.execute("select campaign_id::text, level_pct from realtime.budget_alert order by level_pct")
    assert alerts.fetchall() == [(OVER, 80), (OVER, 100)]


_NOTHING = ("0", "0", "0.0000", "0", None, None, None, None, None)
# impressions, clicks, spend, conversions, ctr, cpc, cpm, cvr, cpa
PERFORMANCE = [
    (LATE, "late", "04", "1000", "10", "8.0000", "1", "0.010000", "0.800000", "8.000000", "0.100000", "8.000000",
     "true"),
    (LATE, "late", "05", *_NOTHING, "false"),
    (LATE, "late", "07", "500", "0", "1.4300", "1", "0.000000", None, "2.860000", None, "1.430000", "true"),
    (OVER, "over", "04", *_NOTHING, "false"),
    (OVER, "over", "05", "100", "5", "9.9999", "0", "0.050000", "1.999980", "99.999000", "0.000000", None, "true"),
    (OVER, "over", "08", "100", "5", "0.0002", "0", "0.050000", "0.000040", "0.002000", "0.000000", None, "true"),
    (UNDATED, "undated", "06", "10", "1", "0.5000", "0", "0.100000", "0.500000", "50.000000", "0.000000", None, "true"),
    (UNDATED, "undated", "08", "20", "1", "0.2500", "0", "0.050000", "0.250000", "12.500000", "0.000000", None, "true"),
    (FREE, "free", "06", "300", "3", "2.0000", "0", "0.010000", "0.666667", "6.666667", "0.000000", None, "true"),
    (FREE, "free", "07", *_NOTHING, "false"),
    (FREE, "free", "09", "100", "1", "1.0000", "0", "0.010000", "1.000000", "10.000000", "0.000000", None, "true"),
]  # fmt: skip
_FLIGHT, _FREE_FLIGHT = ("2024-03-04", "2024-03-05"), ("2024-03-06", "2024-03-07")


def _late(day: str, *figures: str | None) -> tuple[str | None, ...]:
    return (LATE, f"2024-03-{day}", "USD", "late", "20.00", *_FLIGHT, *figures, "false")


def _over(day: str, *figures: str | None) -> tuple[str | None, ...]:
    return (OVER, f"2024-03-{day}", "USD", "over", "10.00", *_FLIGHT, *figures, "true" if day >= "08" else "false")


def _undated(day: str, spend: str) -> tuple[str | None, ...]:
    nothing = (None, None, None, None, "not_started")
    provisional = "true" if day >= "08" else "false"
    return (UNDATED, f"2024-03-{day}", "USD", "undated", "50.00", None, None, spend, *nothing, provisional)


def _free(day: str, spend: str, projected: str, required: str | None = None) -> tuple[str | None, ...]:
    figures = (spend, None, None, projected, required, "no_budget", "true" if day >= "08" else "false")
    return (FREE, f"2024-03-{day}", "USD", "free", "0.00", *_FREE_FLIGHT, *figures)


# spend to date, expected, percentage of it, projected, required per day, status
PACING = [
    _late("04", "8.0000", "10.000000", "80.000000", "16.000000", "12.000000", "under"),
    _late("05", "8.0000", "20.000000", "40.000000", "8.000000", None, "under"),
    _late("06", "8.0000", "20.000000", "40.000000", "8.000000", None, "ended"),
    _late("07", "9.4300", "20.000000", "47.150000", "9.430000", None, "ended"),
    _over("04", "0.0000", "5.000000", "0.000000", "0.000000", "10.000000", "under"),
    _over("05", "9.9999", "10.000000", "99.999000", "9.999900", None, "on_track"),
    _over("06", "9.9999", "10.000000", "99.999000", "9.999900", None, "ended"),
    _over("07", "9.9999", "10.000000", "99.999000", "9.999900", None, "ended"),
    _over("08", "10.0001", "10.000000", "100.001000", "10.000100", None, "overspent"),
    *(_undated(day, spend) for day, spend in (("06", "0.5000"), ("07", "0.5000"), ("08", "0.7500"))),
    *(_undated(day, "0.7500") for day in ("09", "10")),
    _free("06", "2.0000", "4.000000", "-2.000000"),
    _free("07", "2.0000", "2.000000"),
    _free("08", "2.0000", "2.000000"),
    _free("09", "3.0000", "3.000000"),
]
