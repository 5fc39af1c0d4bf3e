"""What the cross-checks of marts leave out, and what they do not."""

import psycopg

from promptsales.marts.crosscheck import cross_check
from tests.support.core_rows import put

CHECKS = {"campaign_days_equal_core", "hours_equal_days"}


def test_a_day_is_left_out_only_where_it_or_its_neighbour_was_touched(
    admin: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    for mart in ("campaign_performance_daily", "campaign_performance_hourly"):
        admin.execute("insert into ops.mart values (%s, 'epoch', '2024-03-10', '1', null, false)", [mart])
    put(admin, "marts.campaign_performance_daily", [{"date_day": "2024-02-01", "spend": 1, "has_data": True}])
    touch = "insert into ops.touched (core_table, entity_id, day) values ('campaign_metrics', 'x', %s)"
    admin.execute(touch, ["2024-02-03"])
    assert {one.rule for one in cross_check(warehouse, "UTC")} == CHECKS
    admin.execute(touch, ["2024-02-02"])
    assert cross_check(warehouse, "UTC") == []
