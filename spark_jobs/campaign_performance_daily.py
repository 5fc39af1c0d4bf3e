"""marts.campaign_performance_daily: campaign by day, days of the flight without data filled with zeros."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.intervals import clipped, days_of
from spark_jobs.measures import MEASURES, NO_CURRENCY, UNKNOWN, day_of, end_of, in_ranges, named_at, rates, summed
from spark_jobs.source import Source

Frames = dict[str, DataFrame]


def read(source: Source) -> Frames:
    """Metrics of the days, and what is known of campaigns."""
    return {
        "metrics": source.within("core.campaign_metrics", "metric_at", "campaign_id", *MEASURES, "is_deleted"),
        "campaigns": source.table(
            "core.campaigns",
            "campaign_id",
            "user_id",
            "currency_code",
            "starts_at",
            "ends_at",
            "deleted_at",
            "is_deleted",
        ),
        "names": source.table("core.campaigns_history", "campaign_id", "name", "valid_from", "valid_to"),
        "calendar": source.within("core.calendar", "date_day"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Sums by campaign and day, beside the days of each flight."""
    campaigns, zone = frames["campaigns"], span.zone
    metrics = frames["metrics"].where(~F.col("is_deleted")).withColumn("date_day", day_of(F.col("metric_at"), zone))
    facts = summed(metrics, "campaign_id", "date_day").withColumn("has_data", F.lit(True))
    found = facts.join(_flights(campaigns, frames["calendar"], span), ["campaign_id", "date_day"], "full")
    found = found.where((F.col("date_day") <= F.lit(span.as_of_day)) & in_ranges(F.col("date_day"), span.ranges))
    found = found.fillna(0, ["impressions", "clicks", "conversions"]).fillna(False, ["has_data"])
    found = found.withColumn("spend", F.coalesce("spend", F.lit(0).cast("decimal(20,4)")))
    found = found.join(campaigns.select("campaign_id", "user_id", "currency_code"), "campaign_id", "left")
    found = named_at(found, frames["names"], "campaign_id", end_of(F.col("date_day"), zone), "name")
    return found.select(
        "campaign_id",
        "date_day",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        F.coalesce("name", F.lit(UNKNOWN)).alias("campaign_name"),
        "user_id",
        *MEASURES,
        *rates(),
        "has_data",
        (F.col("date_day") >= F.lit(span.provisional_from)).alias("is_provisional"),
    )


def _flights(campaigns: DataFrame, calendar: DataFrame, span: Span) -> DataFrame:
    """Every day of every flight of a campaign that is not deleted; one without an end goes on."""
    living = campaigns.where(~F.col("is_deleted") & F.col("deleted_at").isNull() & F.col("starts_at").isNotNull())
    flights = living.select(
        "campaign_id",
        day_of(F.col("starts_at"), span.zone).alias("from_day"),
        F.date_add(day_of(F.col("ends_at"), span.zone), 1).alias("until_day"),
    )
    days = days_of(clipped(flights, span)).select("campaign_id", "date_day")
    return days.join(F.broadcast(calendar), "date_day", "left_semi")
