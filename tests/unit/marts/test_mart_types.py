"""The sum of a thousand million rows with the largest value of an input fits into the mart's column."""

import re

import pytest

from promptsales.settings import ROOT
from promptsales.specs.feed import contracts
from promptsales.specs.mart import MartColumn, catalogue
from promptsales.specs.stream import stream_contracts

ROWS = 10**9
WHOLE = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
# the summed inputs: columns of a feed
SUMMED = {
    "impressions": "campaign_metrics.impressions", "clicks": "campaign_metrics.clicks",
    "conversions": "campaign_metrics.conversions", "spend": "campaign_metrics.spend",
    "spend_to_date": "campaign_metrics.spend", "value": "campaign_metrics.spend",
    "cost": "prompts.cost_amount", "rated_cost": "prompts.cost_amount", "ai_cost": "prompts.cost_amount",
    "linked_cost": "prompts.cost_amount", "unlinked_cost": "prompts.cost_amount",
    "tokens": "prompts.tokens_used", "rated_tokens": "prompts.tokens_used",
    "won_amount": "opportunities.amount", "lost_amount": "opportunities.amount",
    "open_amount": "opportunities.amount", "weighted_amount": "opportunities.amount",
    **dict.fromkeys(
        ("opening_mrr", "mrr", "change", "new_mrr", "expansion_mrr", "reactivation_mrr", "contraction_mrr",
         "churn_mrr", "closing_mrr"),
        "plan_price.monthly_amount",
    ),
}  # fmt: skip
# each row counts one, or one per day
COUNTED = {
    "prompts", "assets", "ads", "ad_days", "points", "leads", "qualified", "converted", "won", "lost", "new_customers",
    "approved", "archived_never_approved", "archived_at_first_sight", "drafts", "assets_with_cost", "open_count",
    "visits", "forward_visits", "customers_at_start", "customers_churned",
}  # fmt: skip
# quotients: up to 32 digits before the point, as Spark keeps no more beside six decimals; those of costs by tokens or
# assets have 26, enough for a sum of a thousand million costs times a thousand, or 28, for one times a million
QUOTIENTS = {"numeric(38,6)", "numeric(38,12)", "numeric(38,10)"}
# a plan, and days: they are not summed, and are as wide as their inputs
COPIED = {"budget", "median_days_to_close", "median_days_to_approval", "median_days_in_stage", "p90_days_in_stage"}
NUMBERS = [
    (name, column)
    for name, mart in catalogue().items()
    for column in mart.columns
    if column.type.startswith(("numeric", "bigint")) and name != "data_freshness"
]


def most(kind: str) -> int:
    """Return the largest value of a type, without its decimals."""
    if kind in WHOLE:
        return WHOLE[kind]
    digits = re.fullmatch(r"numeric\((\d+), ?(\d+)\)", kind)
    return 10 ** (int(digits[1]) - int(digits[2])) - 1 if digits else 10**131072


def decimals(kind: str) -> int:
    digits = re.fullmatch(r"numeric\(\d+, ?(\d+)\)", kind)
    return int(digits[1]) if digits else 0 if kind in WHOLE else 16383


def source_type(source: str) -> str:
    table, name = source.split(".")
    if table == "plan_price":  # a seed: it has no contract
        text = (ROOT / "warehouse" / "core" / "plan_price" / "table.sql").read_text(encoding="utf-8")
        return str(re.findall(rf"{name} (numeric\(\d+, \d+\))", text)[0])
    feed = contracts()[table] if table in contracts() else stream_contracts()[table]
    return next(str(column.type) for column in feed.columns if column.name == name)


@pytest.mark.parametrize(("mart", "column"), NUMBERS, ids=[f"{name}.{column.name}" for name, column in NUMBERS])
def test_a_sum_fits_its_column(mart: str, column: MartColumn) -> None:
    if column.name in SUMMED:
        kind = source_type(SUMMED[column.name])
        # the probability of a weighted deal may be up to ten, by its type
        factor = 10 if column.name == "weighted_amount" else 1
        assert most(kind) * ROWS * factor <= most(column.type)
        assert decimals(kind) <= decimals(column.type)
    elif column.name in COUNTED:
        assert column.type == "bigint"
    else:
        assert column.type in QUOTIENTS or column.name in COPIED, f"name the inputs that {mart}.{column.name} sums"


def test_ads_hold_no_more_than_campaigns() -> None:
    names = ("impressions", "clicks", "spend", "conversions")
    assert [source_type(f"ad_metrics.{name}") for name in names] == [
        source_type(f"campaign_metrics.{name}") for name in names
    ]
