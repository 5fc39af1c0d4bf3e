"""marts.campaign_funnel_cohort: milestones of the leads of a month, and the spend of their campaign in that month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import (
    NO_CURRENCY,
    UNKNOWN,
    cost,
    cost_ratio,
    end_of,
    in_ranges,
    money,
    month_of,
    named_at,
    ratio,
)
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]

NOBODY = "00000000-0000-0000-0000-000000000000"
OLD_DAYS = 365
# the currency of prompt costs
AI_CURRENCY = "USD"
COUNTS = ("impressions", "clicks", "leads", "qualified", "converted", "won", "new_customers")


def read(reader: WarehouseReader) -> Frames:
    """Return leads and spend of the months from their marts, and the AI cost of the campaigns' creatives."""
    return {
        "leads": reader.within(
            "marts.lead_attribution",
            "date_day",
            *(
                "campaign_id",
                "is_qualified",
                "is_converted",
                "is_won",
                "is_new_customer",
                "won_amount",
                "currency_code",
            ),
        ),
        "days": reader.within(
            "marts.campaign_performance_daily", "date_day", "campaign_id", "impressions", "clicks", "spend"
        ),
        "ai_costs": reader.query("ai_costs"),
        "campaigns": reader.table("core.campaigns", "campaign_id", "currency_code"),
        "names": reader.table("core.campaigns_history", "campaign_id", "name", "valid_from", "valid_to"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return the number of leads at each milestone, the rates between milestones, and costs per lead and customer."""
    campaigns, grain = frames["campaigns"], ["campaign_id", "month_start_date"]
    rows = (
        _leads(frames["leads"], campaigns)
        .join(_delivery(frames["days"]), grain, "full")
        .join(frames["ai_costs"], grain, "full")
        .join(campaigns, "campaign_id", "left")
        .where(in_ranges(F.col("month_start_date"), span.ranges))
        .fillna(0, list(COUNTS))
    )
    last_day = F.last_day("month_start_date")
    rows = named_at(rows, frames["names"], "campaign_id", end_of(last_day, span.zone), "name")
    rows = rows.withColumns(
        {name: money(F.coalesce(name, F.lit(0)), scale) for name, scale in (("won_amount", 2), ("spend", 4))}
    )
    # amounts of different currencies are never added
    ai_cost = F.when(F.col("currency_code") == AI_CURRENCY, cost(F.coalesce("ai_cost", F.lit(0))))
    name = F.when(F.col("campaign_id") == NOBODY, "Unattributed").otherwise(F.coalesce("name", F.lit(UNKNOWN)))
    age = F.greatest(F.datediff(F.lit(span.as_of_day), "month_start_date"), F.lit(0))
    return rows.select(
        "campaign_id",
        "month_start_date",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        name.alias("campaign_name"),
        *COUNTS,
        "won_amount",
        "spend",
        ratio(F.col("qualified"), F.col("leads")).alias("qualified_rate"),
        ratio(F.col("converted"), F.col("qualified")).alias("converted_rate"),
        ratio(F.col("won"), F.col("converted")).alias("won_rate"),
        ratio(F.col("spend"), F.col("leads")).alias("cpl"),
        ratio(F.col("spend"), F.col("new_customers")).alias("paid_cac"),
        ratio(F.col("won_amount"), F.col("spend")).alias("crm_roas"),
        F.least(age, F.lit(OLD_DAYS)).alias("cohort_age_days"),
        ai_cost.alias("ai_cost"),
        cost_ratio(F.col("spend") + ai_cost.cast("decimal(33,12)"), F.col("new_customers")).alias("paid_cac_incl_ai"),
    )


def _leads(leads: DataFrame, campaigns: DataFrame) -> DataFrame:
    """Return milestones by campaign and month; amounts count only if the deal has the campaign's currency."""
    own = campaigns.select("campaign_id", F.col("currency_code").alias("own_currency"))
    leads = leads.fillna(NOBODY, ["campaign_id"]).join(own, "campaign_id", "left")
    return leads.groupBy("campaign_id", month_of(F.col("date_day")).alias("month_start_date")).agg(
        F.count("*").alias("leads"),
        F.count_if("is_qualified").alias("qualified"),
        F.count_if("is_converted").alias("converted"),
        F.count_if("is_won").alias("won"),
        F.count_if("is_new_customer").alias("new_customers"),
        F.sum(F.when(F.col("currency_code") == F.col("own_currency"), F.col("won_amount"))).alias("won_amount"),
    )


def _delivery(days: DataFrame) -> DataFrame:
    return days.groupBy("campaign_id", month_of(F.col("date_day")).alias("month_start_date")).agg(
        F.sum("impressions").alias("impressions"), F.sum("clicks").alias("clicks"), F.sum("spend").alias("spend")
    )
