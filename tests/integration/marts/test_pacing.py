"""The as-of days of marts.campaign_pacing_daily, when figures are added or deleted after a build."""

from typing import Any

import psycopg

from tests.integration.marts.conftest import Build
from tests.support.core_rows import put, put_versions, uid

MARTS = ("campaign_performance_daily", "campaign_pacing_daily")


def days(admin: psycopg.Connection) -> list[tuple[Any, ...]]:
    return admin.execute(
        "select to_char(date_day, 'MM-DD'), pacing_status from marts.campaign_pacing_daily order by 1"
    ).fetchall()


def touch(admin: psycopg.Connection, day: str) -> None:
    admin.execute(
        "insert into ops.touched (core_table, entity_id, day) values ('campaign_metrics', %s, %s) "
        "on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()",
        [str(uid("c")), day],
    )


def test_a_late_figure_after_the_end_adds_the_days_up_to_it(admin: psycopg.Connection, run: Build) -> None:
    put(admin, "core.campaigns", [{
        "campaign_id": "c", "user_id": "u", "name": "Spring", "budget": "10", "currency_code": "USD",
        "created_at": "2024-02-01T00:00Z", "starts_at": "2024-02-01T00:00Z", "ends_at": "2024-02-01T00:00Z",
    }])  # fmt: skip
    put_versions(admin, "core.campaigns")
    run(*MARTS)
    flight = [("02-01", "under"), ("02-02", "ended")]
    assert days(admin) == flight
    put(admin, "core.campaign_metrics", [{
        "metric_id": 1, "campaign_id": "c", "metric_at": "2024-02-05T12:00Z", "impressions": 1, "clicks": 1,
        "spend": "11.0000", "conversions": 0,
    }])  # fmt: skip
    touch(admin, "2024-02-05")
    run(*MARTS)
    assert days(admin) == [*flight, ("02-03", "ended"), ("02-04", "ended"), ("02-05", "overspent")]
    admin.execute("update core.campaign_metrics set is_deleted = true")
    touch(admin, "2024-02-05")
    run(*MARTS)
    assert days(admin) == flight
