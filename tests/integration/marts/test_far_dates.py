"""Days that no mart shows do not disturb planning, and a mart that fails stops only the marts built from it."""

import psycopg
import pytest

from promptsales.errors import TerminalError
from promptsales.marts.build import find_due
from promptsales.marts.plan import ALL, BuildRequest, definition, plan
from promptsales.settings import Settings
from promptsales.specs.mart import tables
from tests.integration.marts.conftest import AS_OF, Build
from tests.integration.marts.test_marts import touch
from tests.integration.provision.conftest import Connect
from tests.support.core_rows import uid

FAR = ["-infinity", "0044-03-15 BC", "0044-03-15", "9999-12-31", "infinity"]
TOUCHED = [
    "subscriptions", "prompts", "opportunities", "opportunity_stage_history", "leads", "activities", "content_assets",
    "campaign_metrics", "ad_metrics", "marts.campaign_performance_daily", "marts.lead_attribution",
]  # fmt: skip
REQUEST = BuildRequest(AS_OF, "test")


@pytest.mark.parametrize("day", FAR)
def test_a_day_that_no_mart_shows_is_planned_within_all_days(
    day: str, admin: psycopg.Connection, connect: Connect, stack: Settings
) -> None:
    built = "insert into ops.mart values (%s, 'epoch', '2024-03-10', %s, null, true)"
    for name, mart in tables().items():
        admin.execute(built, [name, definition(mart, stack)])
    for table in TOUCHED:
        touch(admin, table, str(uid("far")), day)
    with connect("warehouse_loader") as warehouse:
        warehouse.execute("set statement_timeout = '20s'")
        spans = {name: plan(mart, warehouse, stack, REQUEST).span.ranges for name, mart in tables().items()}
    assert all(ALL[0] <= start < end <= ALL[1] for ranges in spans.values() for start, end in ranges)
    # a row that counts on every later day is built from the first day of the calendar
    assert (spans["sales_pipeline_daily"][:1] == ((ALL[0], AS_OF.date()),)) is (day in FAR[:3])


def test_a_mart_that_cannot_be_planned_stops_only_what_is_built_from_it(
    admin: psycopg.Connection, connect: Connect, run: Build, stack: Settings
) -> None:
    run("campaign_performance_daily", "lead_attribution", "campaign_funnel_cohort")
    touch(admin, "campaign_metrics", str(uid("c1")), "2024-03-01")
    admin.execute("revoke select on core.leads from warehouse_loader")
    try:
        with connect("warehouse_loader") as warehouse:
            names, _ = find_due(["campaign_performance_daily", "lead_attribution"], warehouse, stack, REQUEST)
        with pytest.raises(TerminalError, match=r"^plan lead_attribution: .*42501"):
            run("campaign_performance_daily", "lead_attribution", "campaign_funnel_cohort")
    finally:
        admin.execute("grant select on core.leads to warehouse_loader")
    # the build reports why a mart cannot be planned, so that mart counts as due
    assert names == ["campaign_performance_daily", "lead_attribution"]
    builds = "select mart, count(*) from ops.mart_build group by mart order by mart"
    assert admin.execute(builds).fetchall() == [
        ("campaign_funnel_cohort", 1), ("campaign_performance_daily", 2), ("lead_attribution", 1),
    ]  # fmt: skip
