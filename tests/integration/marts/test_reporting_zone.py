"""Days of a zone with summer time: one of 25 hours in November, one of 23 in March."""

import psycopg

from tests.integration.marts.conftest import Build
from tests.integration.marts.test_marts import differing, fill, touch
from tests.support.core_rows import put, uid

ZONE = "America/New_York"

# instants at both ends of days there, each with a spend of its own
METRICS = [
    ("2023-11-05T03:59:59.999999Z", 1),  # the 4th, 23:59:59
    ("2023-11-05T04:00Z", 2),  # the 5th, midnight; at 2:00 clocks go back
    ("2023-11-06T04:59:59.999999Z", 4),  # the 5th, 23:59:59
    ("2023-11-06T05:00Z", 8),  # the 6th
    ("2024-03-10T04:59:59.999999Z", 16),  # the 9th, 23:59:59
    ("2024-03-10T05:00Z", 32),  # the 10th, midnight; at 2:00 clocks go forward
    ("2024-03-11T03:59:59.999999Z", 64),  # the 10th, 23:59:59
    ("2024-03-11T04:00Z", 128),  # the 11th, which still runs
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
    put(admin, "core.campaign_metrics", [metric(number, *one) for number, one in enumerate(METRICS)])
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

    # a late fact is told by its day in UTC, which is another one there
    put(admin, "core.campaign_metrics", [metric(99, "2023-11-05T03:00Z", 256)])
    touch(admin, "campaign_metrics", str(uid("c")), "2023-11-05")
    built = run("campaign_performance_daily", zone=ZONE)["campaign_performance_daily"]
    assert built.updated == 1
    assert admin.execute(SPEND).fetchall() == [("2023-11-04", "Old", 257, False), *expected[1:]]


def test_every_mart_by_the_days_of_the_zone(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    run(zone=ZONE)
    assert differing(admin, zone=ZONE) == {}
    # another zone builds everything anew
    assert run("ai_cost_daily")["ai_cost_daily"].is_full
