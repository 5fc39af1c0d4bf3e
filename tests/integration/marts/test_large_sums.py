"""The largest values that sources may hold are summed; a mart that fails stops only the marts built from it."""

from decimal import Decimal, localcontext
from typing import Any

import psycopg
import pytest
from psycopg import sql

from promptsales.errors import TerminalError
from promptsales.specs.mart import catalogue, tables
from tests.integration.marts.conftest import Build
from tests.support.core_rows import put, put_versions, uid

COST, TOKENS = "999999999999.999999999999", str(2**63 - 1)
AMOUNT, SPEND, COUNTER = "999999999999.99", "99999999999999.9999", 2**31 - 1
AT = "2024-03-08T10:00Z"
ROWS = 300


def fill(admin: psycopg.Connection) -> None:
    """Add a day of prompts, measurements and deals with the largest values, and the smallest denominator."""
    prompt = {"user_id": "u", "tool": "gpt-4", "tokens_used": TOKENS, "cost_amount": COST, "prompted_at": AT}
    put(admin, "core.prompts", [{**prompt, "prompt_id": "p1"}, {**prompt, "prompt_id": "p2", "asset_id": "asset"}])
    few = {**prompt, "user_id": "frugal", "tokens_used": 1}
    put(admin, "core.prompts", [{**few, "prompt_id": f"f{n}"} for n in range(2)])
    asset = {"asset_id": "asset", "type": "image", "model": "gpt-4", "status": "approved", "created_at": AT}
    put(admin, "core.content_assets", [asset])
    flight = {"starts_at": "2024-03-01T00:00Z", "ends_at": "2040-12-01T00:00Z", "created_at": "2024-03-01T00:00Z"}
    put(admin, "core.campaigns", [
        {"campaign_id": "large", "budget": "0.01", "currency_code": "USD", "user_id": "u", "name": "large", **flight},
        {"campaign_id": "tiny", "budget": "0.01", "currency_code": "USD", "user_id": "u", "name": "tiny", **flight},
    ])  # fmt: skip
    put(admin, "core.ad_groups", [{"ad_group_id": "g", "campaign_id": "large"}])
    ad = {"ad_group_id": "g", "content_id": "asset", "status": "active", "created_at": AT}
    put(admin, "core.ads", [{**ad, "ad_id": "a1"}, {**ad, "ad_id": "a2"}])
    metric = {"metric_at": AT, "impressions": COUNTER, "clicks": COUNTER, "spend": SPEND, "conversions": 1}
    rows = [{**metric, "metric_id": n, "campaign_id": "large"} for n in range(ROWS)]
    put(
        admin, "core.campaign_metrics", [*rows, {**metric, "metric_id": ROWS, "campaign_id": "tiny", "spend": "0.0001"}]
    )
    put(admin, "core.pipeline_stages", [
        {"stage_id": "new", "pipeline_code": "p", "name": "new", "position": 1, "default_probability": 1},
        {"stage_id": "won", "pipeline_code": "p", "name": "won", "position": 2, "default_probability": 1,
         "is_closed": True, "is_won": True},
        {"stage_id": "lost", "pipeline_code": "p", "name": "lost", "position": 3, "default_probability": 0,
         "is_closed": True},
    ])  # fmt: skip
    for stage in ("new", "won", "lost"):
        closed = None if stage == "new" else AT
        put(admin, "core.opportunities", [
            {"opportunity_id": f"{stage}{n}", "owner_user_id": "u", "stage_id": stage, "amount": AMOUNT,
             "currency_code": "USD", "created_at": AT, "closed_at": closed, "source_lead_id": f"l{stage}{n}"}
            for n in range(ROWS)
        ])  # fmt: skip
    put(admin, "core.leads", [{"lead_id": f"lwon{n}", "campaign_id": "tiny", "created_at": AT} for n in range(ROWS)])
    for table in ("core.campaigns", "core.ads", "core.opportunities", "core.content_assets"):
        put_versions(admin, table)


def figures(admin: psycopg.Connection, query: str) -> list[Any]:
    return admin.execute(query.encode()).fetchall()


def test_the_largest_values_of_a_day_are_summed(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    assert list(run()) == list(tables())
    cost, spend, amount = Decimal(COST), ROWS * Decimal(SPEND), ROWS * Decimal(AMOUNT)
    assert figures(admin, """
        select tokens, cost, cost_per_1k_tokens, cost_per_1m_tokens from marts.ai_cost_daily order by tokens
    """) == [
        (2, 2 * cost, Decimal("999999999999999.999999999"), Decimal("999999999999999999.999999")),
        (2 * int(TOKENS), 2 * cost, Decimal("0.000108420217"), Decimal("0.1084202172")),
    ]  # fmt: skip
    assert figures(admin, """
        select impressions, spend, cpa, ctr from marts.campaign_performance_daily
        where date_day = '2024-03-08' and campaign_name = 'large'
    """) == [(ROWS * COUNTER, spend, Decimal(SPEND), 1)]  # fmt: skip
    assert figures(admin, "select sum(spend), sum(impressions), count(*) from marts.creative_performance_daily") == [
        (spend, ROWS * COUNTER, 1)
    ]
    with localcontext(prec=60):
        # a flight of 6,120 days, eight of which are over, with a budget of one cent
        pacing = 100 * spend * 6120 / (Decimal("0.01") * 8)
    assert figures(admin, """
        select spend_to_date, pacing_pct, pacing_status from marts.campaign_pacing_daily
        where date_day = '2024-03-08' and campaign_name = 'large'
    """) == [(spend, pacing, "overspent")]  # fmt: skip
    assert figures(admin, """
        select won_amount, spend, crm_roas from marts.campaign_funnel_cohort where campaign_name = 'tiny'
    """) == [(amount, Decimal("0.0001"), 10_000 * amount)]  # fmt: skip
    assert figures(admin, "select won_amount, lost_amount, value_win_rate from marts.sales_performance_monthly") == [
        (amount, amount, Decimal("0.5"))
    ]
    assert figures(admin, """
        select open_amount, weighted_amount from marts.sales_pipeline_daily where date_day = '2024-03-08'
    """) == [(amount, amount)]  # fmt: skip
    for name in catalogue():  # views too
        admin.execute(sql.SQL("select count(m::text) from {} m").format(sql.Identifier("marts", name)))


def _broken(frames: dict[str, Any], span: Any) -> Any:
    raise KeyError(uid("u"))


def test_a_mart_that_spark_cannot_build_stops_only_what_is_built_from_it(
    admin: psycopg.Connection, run: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(admin)
    run()
    monkeypatch.setattr("spark_jobs.sales_performance_monthly.transform", _broken)
    # two days with more impressions than any row limit allows
    admin.execute("update marts.campaign_performance_daily set impressions = %s", [2**63 - 1])
    admin.execute("truncate staging.marts__ai_cost_daily")
    admin.execute("alter table staging.marts__ai_cost_daily alter column tokens type numeric(9,0)")
    names = ("ai_cost_daily", "campaign_funnel_cohort", "lost_reason_monthly", "sales_performance_monthly")
    try:
        with pytest.raises(TerminalError) as failed:
            run(*names, is_full=True)
    finally:
        admin.execute("alter table staging.marts__ai_cost_daily alter column tokens type numeric(28,0)")
    first, second, third = str(failed.value).removeprefix("build ").split("; build ")
    assert first.startswith("ai_cost_daily: spark failed: ")
    assert "(sqlstate 22003)" in first
    assert third.startswith("campaign_funnel_cohort: spark failed: ")
    assert "ARITHMETIC_OVERFLOW" in third
    assert second.startswith(
        "sales_performance_monthly: KeyError in its job or its checks; the mart is unchanged: fix "
    )
    assert first.endswith("the mart is unchanged: fix its input or job, then build again")
    assert str(uid("u")) not in str(failed.value)
    builds = "select mart, count(*) from ops.mart_build where mart = any(%s) group by mart order by mart"
    assert admin.execute(builds, [list(names)]).fetchall() == [
        ("ai_cost_daily", 1), ("campaign_funnel_cohort", 1), ("lost_reason_monthly", 2),
        ("sales_performance_monthly", 1),
    ]  # fmt: skip
