"""Days and hours of zones that differ from UTC by parts of an hour, or change their clocks twice a year."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from promptsales.errors import ConfigError
from promptsales.marts.crosscheck import cross_check
from promptsales.marts.plan import BuildRequest, plan
from promptsales.provision.reporting import provision_reporting_zone
from promptsales.settings import Settings
from promptsales.specs.mart import mart
from tests.integration.marts.conftest import AS_OF, Build
from tests.integration.marts.test_marts import differing, fill, touch
from tests.integration.provision.conftest import Connect
from tests.support.changing import build
from tests.support.core_rows import put, uid
from tests.support.systems import empty_tables

ZONE = "America/New_York"

# instants at both ends of days in the zone, each with a spend of its own
METRICS = [
    ("2023-11-05T03:59:59.999999Z", 1),  # the 4th, 23:59:59
    ("2023-11-05T04:00Z", 2),  # the 5th, midnight; at 2:00 clocks go back
    ("2023-11-06T04:59:59.999999Z", 4),  # the 5th, 23:59:59
    ("2023-11-06T05:00Z", 8),  # the 6th
    ("2024-03-10T04:59:59.999999Z", 16),  # the 9th, 23:59:59
    ("2024-03-10T05:00Z", 32),  # the 10th, midnight; at 2:00 clocks go forward
    ("2024-03-11T03:59:59.999999Z", 64),  # the 10th, 23:59:59
    ("2024-03-11T04:00Z", 128),  # the 11th, which is not over
]
SPEND = """
    select date_day::text, campaign_name, spend::int, is_provisional from marts.campaign_performance_daily order by 1
"""


def metric(number: int, at: str, spend: int) -> dict[str, object]:
    return {
        "metric_id": number, "campaign_id": "c", "metric_at": at, "impressions": 0, "clicks": 0, "spend": spend,
        "conversions": 0,
    }  # fmt: skip


def test_days_as_the_zone_has_them(admin: psycopg.Connection, run: Build) -> None:
    campaign = {"campaign_id": "c", "user_id": "u", "name": "New", "starts_at": "2024-03-08T05:00Z"}
    put(admin, "core.campaigns", [{**campaign, "ends_at": "2024-03-11T03:59:59Z", "currency_code": "USD"}])
    put(admin, "core.campaigns_history", [
        {"campaign_id": "c", "name": "Old", "valid_from": "-infinity", "valid_to": "2024-03-11T03:00Z"},
        {"campaign_id": "c", "name": "New", "valid_from": "2024-03-11T03:00Z", "valid_to": "infinity"},
    ])  # fmt: skip
    put(admin, "core.campaign_metrics", [metric(number, *values) for number, values in enumerate(METRICS)])
    run("campaign_performance_daily", zone=ZONE)
    expected = [
        ("2023-11-04", "Old", 1, False),
        ("2023-11-05", "Old", 2 + 4, False),
        ("2023-11-06", "Old", 8, False),
        ("2024-03-08", "Old", 0, True),
        ("2024-03-09", "Old", 16, True),
        ("2024-03-10", "New", 32 + 64, True),
    ]
    assert admin.execute(SPEND).fetchall() == expected

    # a late fact touches its day in UTC, which is another day in the zone
    put(admin, "core.campaign_metrics", [metric(99, "2023-11-05T03:00Z", 256)])
    touch(admin, "campaign_metrics", str(uid("c")), "2023-11-05")
    built = run("campaign_performance_daily", zone=ZONE)["campaign_performance_daily"]
    assert built.updated == 1
    assert admin.execute(SPEND).fetchall() == [("2023-11-04", "Old", 257, False), *expected[1:]]


def test_every_mart_by_the_days_of_the_zone(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    # half an hour off UTC, and on 10 March clocks go forward
    run(zone="America/St_Johns")
    assert differing(admin, zone="America/St_Johns") == {}
    # a change of zone rebuilds everything
    assert run("ai_cost_daily")["ai_cost_daily"].is_full


# three days around each change of clocks, if the zone has one
ZONES = {
    "Asia/Kolkata": ("2024-03-09", "2023-11-04"),
    "Asia/Kathmandu": ("2024-03-09", "2023-11-04"),
    "America/St_Johns": ("2024-03-09", "2023-11-04"),
    "Europe/Berlin": ("2024-03-30", "2023-10-28"),
}
HOURLY = ("campaign_performance_daily", "campaign_performance_hourly")


def quarters(first: str) -> list[datetime]:
    """Return each quarter of an hour of three days of UTC, ten minutes after it begins."""
    start = datetime.fromisoformat(f"{first}T00:10:00+00:00")
    return [start + timedelta(minutes=15 * number) for number in range(3 * 96)]


@pytest.mark.parametrize("zone", ZONES)
def test_days_and_hours_as_clocks_have_them(zone: str, admin: psycopg.Connection, run: Build) -> None:
    moments = [moment for first in ZONES[zone] for moment in quarters(first)]
    put(admin, "core.campaign_metrics", [metric(n, f"{at:%FT%TZ}", 1) for n, at in enumerate(moments)])
    run(*HOURLY, zone=zone, as_of=datetime(2024, 4, 3, 5, tzinfo=UTC))
    local = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    days = Counter(moment.date() for moment in local)
    # an hour that clocks repeat counts as two: their offsets differ
    hours = Counter((moment.date(), f"{moment:%H}", moment.utcoffset()) for moment in local)
    assert sum(count for _, count in days.items()) == len(moments)
    daily = admin.execute("select date_day, spend::int from marts.campaign_performance_daily where has_data")
    assert Counter(dict(daily.fetchall())) == days
    hourly = admin.execute("select date_day, hour_at, spend::int from marts.campaign_performance_hourly").fetchall()
    built = [(day, at.astimezone(ZoneInfo(zone)), count) for day, at, count in hourly]
    assert {(day, f"{at:%H}", at.utcoffset()): count for day, at, count in built} == hours
    assert {f"{at:%M}" for _, at, _ in built} == {"00"}
    assert cross_check_of(admin, zone) == []


def cross_check_of(admin: psycopg.Connection, zone: str) -> list[str]:
    return [breach.rule for breach in cross_check(admin, zone) if not breach.is_warning]


@pytest.mark.parametrize("zone", ZONES)
def test_today_goes_on_where_the_mart_ends(
    zone: str, admin: psycopg.Connection, connect: Connect, stack: Settings
) -> None:
    """Minutes on both sides of the mart's last day, in Python's zones: each counts once, in its day."""
    for first in ZONES[zone]:
        moments = quarters(first)
        # the second of the three days is the last complete one
        as_of = moments[96].astimezone(ZoneInfo(zone)).replace(hour=5) + timedelta(days=1)
        last = as_of.date() - timedelta(days=1)
        empty_tables(admin, "marts")
        put(admin, "core.campaign_metrics", [metric(n, f"{at:%FT%TZ}", 1) for n, at in enumerate(moments)])
        put_minutes(admin, moments)
        settings = stack.model_copy(update={"reporting_timezone": zone})
        assert build(admin, settings, as_of, HOURLY[:1]) == {}
        days = Counter(moment.astimezone(ZoneInfo(zone)).date() for moment in moments)
        assert today(connect) == [(day, count, day <= last) for day, count in sorted(days.items())]


def put_minutes(admin: psycopg.Connection, moments: list[datetime]) -> None:
    admin.execute(
        "insert into realtime.campaign_minute (campaign_id, minute, impressions, clicks, spend, conversions, version) "
        "select %s, minute, 0, 0, 1, 0, 1 from unnest(%s::timestamptz[]) minute",
        [uid("c"), moments],
    )


def today(connect: Connect) -> list[tuple[Any, ...]]:
    """Return what a reader of the view gets."""
    with connect("bi") as reader:
        return reader.execute("""
            select date_day, spend::int, is_closed from marts.campaign_performance_today where spend > 0 order by 1
        """).fetchall()


def test_today_before_the_first_build(admin: psycopg.Connection, connect: Connect) -> None:
    """Provisioning gives the view the zone of the settings."""
    moments = quarters("2024-03-09")
    put_minutes(admin, moments)
    message = "reporting zone Asia/Kolkata instead of UTC: the next build builds every mart in full, by its days"
    try:
        assert [change.what for change in provision_reporting_zone(admin, "Asia/Kolkata", dry_run=True)] == [message]
        assert today(connect)[0] == (date(2024, 3, 9), 96, False)
        assert [change.what for change in provision_reporting_zone(admin, "Asia/Kolkata")] == [message]
        assert provision_reporting_zone(admin, "Asia/Kolkata") == []
        days = Counter(moment.astimezone(ZoneInfo("Asia/Kolkata")).date() for moment in moments)
        assert today(connect) == [(day, count, False) for day, count in sorted(days.items())]
    finally:
        provision_reporting_zone(admin, "UTC")


def test_a_window_in_another_zone_is_refused(admin: psycopg.Connection, stack: Settings) -> None:
    """A mart never holds days of two zones."""
    assert build(admin, stack, AS_OF, HOURLY[:1]) == {}
    settings = stack.model_copy(update={"reporting_timezone": "Asia/Kolkata"})
    window = BuildRequest(AS_OF, "test", window=(date(2024, 3, 1), date(2024, 3, 2)))
    message = "was built by days of UTC, the setting PROMPTSALES_REPORTING_TIMEZONE is Asia/Kolkata"
    with pytest.raises(ConfigError, match=message):
        plan(mart(HOURLY[0]), admin, settings, window)
    assert plan(mart(HOURLY[0]), admin, settings, BuildRequest(AS_OF, "test")).is_full
