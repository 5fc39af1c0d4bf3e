"""The cost of a build depends on the changes and the mart's rows, not on how many days a campaign or deal lasts."""

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.integration.marts.conftest import Build
from tests.integration.marts.test_marts import differing as every_differing
from tests.support.spark_rows import executions, rows_made

HERE = Path(__file__).parent


def differing(admin: psycopg.Connection, mart: str, expected: str, days: str) -> list[Any]:
    """Return the rows of some days that only the mart or only the statement has."""
    table = sql.Identifier("marts", mart)
    admin.execute(sql.SQL("create temp table wanted (like {})").format(table))
    admin.execute(b"insert into wanted " + (HERE / expected).read_bytes())
    selected = sql.SQL("select * from {} where {}").format(table, sql.SQL(days))
    query = "(({0}) except all table wanted) union all (table wanted except all ({0}))"
    rows = admin.execute(sql.SQL(query).format(selected)).fetchall()
    admin.execute("drop table wanted")
    return rows


def test_deals_open_for_nine_years(admin: psycopg.Connection, run: Build, spark: Any) -> None:
    admin.execute((HERE / "long_deals.sql").read_bytes())
    before = executions(spark)
    built = run("sales_pipeline_daily")["sales_pipeline_daily"]
    made = rows_made(spark, before)
    assert (
        differing(admin, "sales_pipeline_daily", "long_deals_expected.sql", "(date_day - '2015-02-05') % 10 = 0") == []
    )
    # 16 groups, half of which end after three years, with 6 million days of deals
    assert built.staged == 35_234
    assert admin.execute("select sum(open_count) > 6000000 from marts.sales_pipeline_daily").fetchone() == (True,)
    changes = 4 * 2_000 + 2 * 2_000
    assert built.staged < made < 10 * (built.staged + changes)


def test_a_campaign_an_ad_and_subscriptions_of_nine_years(admin: psycopg.Connection, run: Build, spark: Any) -> None:
    admin.execute((HERE / "long_campaign.sql").read_bytes())
    before = executions(spark)
    built = run()
    made = rows_made(spark, before)
    assert every_differing(admin) == {}
    assert {name: result.staged for name, result in built.items() if result.staged > 100} == {
        "campaign_performance_daily": 3_353, "campaign_performance_hourly": 3_300, "campaign_pacing_daily": 3_357,
        "creative_performance_daily": 1_650, "lead_attribution": 3_300, "campaign_funnel_cohort": 111,
        "subscription_mrr_monthly": 555,
    }  # fmt: skip
    # pairing each day with each version or each earlier day would make 5 million rows in any of the marts
    assert sum(result.staged for result in built.values()) < made < 1_000_000
