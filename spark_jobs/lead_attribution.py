"""marts.lead_attribution: each lead with the campaign that it is credited to, and its deal."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.intervals import merged
from spark_jobs.measures import NO_CURRENCY, UNKNOWN, day_of, in_ranges, money, named_at
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]


def read(reader: WarehouseReader) -> Frames:
    """Return the leads created on the days, their deals, and the ads and campaign versions that they refer to."""
    return {
        "leads": reader.query("leads", "created_at"),
        "deals": reader.query("deals"),
        "ads": reader.query("ads"),
        "versions": reader.table("core.campaigns_history", "campaign_id", "name", "user_id", "valid_from", "valid_to"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return each lead with the campaign of its first valid reference, and with the deal that counts for it."""
    leads = frames["leads"].withColumn("date_day", day_of(F.col("created_at"), span.zone))
    leads = leads.where(in_ranges(F.col("date_day"), span.ranges))
    rows = _credited(leads, frames["ads"], frames["versions"])
    rows = named_at(
        rows, frames["versions"], "campaign_id", F.expr("created_at + interval 1 microsecond"), "name"
    ).join(_deals(leads, frames["deals"]), "lead_id", "left")
    has_deal = F.col("opportunity_id").isNotNull()
    return rows.select(
        "lead_id",
        "date_day",
        "owner_user_id",
        "lead_source",
        "campaign_id",
        F.when(F.col("campaign_id").isNotNull(), F.coalesce("name", F.lit(UNKNOWN))).alias("campaign_name"),
        "ad_id",
        "attribution_method",
        "created_at",
        (F.col("qualified_at").isNotNull() | F.col("converted_at").isNotNull() | has_deal).alias("is_qualified"),
        (F.col("converted_at").isNotNull() | has_deal).alias("is_converted"),
        F.coalesce("is_won", F.lit(False)).alias("is_won"),
        "qualified_at",
        "converted_at",
        "opportunity_id",
        "closed_at",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        money(F.when(F.col("is_won"), F.coalesce("amount", F.lit(0))).otherwise(0), 2).alias("won_amount"),
        F.coalesce("is_new_customer", F.lit(False)).alias("is_new_customer"),
    )


def _credited(leads: DataFrame, ads: DataFrame, versions: DataFrame) -> DataFrame:
    """Return the leads with campaign_id and attribution_method; of campaigns with the same name the lowest id wins."""
    utm = F.lower(F.trim("utm_campaign"))
    by_id = versions.select(F.col("campaign_id").alias("utm_id")).distinct()
    versions = versions.withColumn("campaign", F.lower(F.trim("name")))
    # merged first, because most versions differ in budget or status and not in the name
    names = merged(versions, "campaign_id", "campaign", "user_id").withColumnRenamed("campaign_id", "named_id")
    is_named = (
        (utm == names["campaign"])
        & (leads["owner_user_id"] == names["user_id"])
        & (names["valid_from"] <= leads["created_at"])
        & (leads["created_at"] < names["valid_to"])
    )
    by_name = leads.join(names, is_named).groupBy("lead_id").agg(F.min("named_id").alias("named_id"))
    rows = (
        leads.withColumnRenamed("campaign_id", "own_id")
        .join(ads, "ad_id", "left")
        .join(by_id, utm == by_id["utm_id"], "left")
        .join(by_name, "lead_id", "left")
    )
    own, ad, utm_id = F.col("own_id"), F.col("ad_campaign_id"), F.coalesce("utm_id", "named_id")
    method = (
        F.when(own.isNotNull(), "campaign_id")
        .when(ad.isNotNull(), "ad_id")
        .when(utm_id.isNotNull(), "utm_campaign")
        .otherwise("none")
    )
    return rows.withColumns({"campaign_id": F.coalesce(own, ad, utm_id), "attribution_method": method})


def _deals(leads: DataFrame, deals: DataFrame) -> DataFrame:
    """Return one deal per lead: a won deal first, then the oldest."""
    of_account = Window.partitionBy("account_id", "is_won").orderBy("closed_at", "opportunity_id")
    is_first = F.col("account_id").isNull() | (F.row_number().over(of_account) == 1)
    deals = deals.withColumn("is_new_customer", F.col("is_won") & is_first).withColumnRenamed("created_at", "made_at")
    links = (
        deals.select(F.col("source_lead_id").alias("lead_id"), "opportunity_id")
        .where(F.col("lead_id").isNotNull())
        .union(
            leads.select("lead_id", F.col("converted_opportunity_id")).where(
                F.col("converted_opportunity_id").isNotNull()
            )
        )
        .distinct()
    )
    of_lead = Window.partitionBy("lead_id").orderBy(F.col("is_won").desc(), "made_at", "opportunity_id")
    return (
        links.join(deals, "opportunity_id")
        .withColumn("place", F.row_number().over(of_lead))
        .where(F.col("place") == 1)
        .select("lead_id", "opportunity_id", "closed_at", "currency_code", "amount", "is_won", "is_new_customer")
    )
