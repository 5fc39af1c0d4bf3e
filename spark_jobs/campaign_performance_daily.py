"""marts.campaign_performance_daily: delivery by campaign and day, with zeros for days of the flight without data."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.intervals import clipped, days_of
from spark_jobs.measures import MEASURES, NO_CURRENCY, UNKNOWN, day_of, end_of, in_ranges, named_at, rates, summed
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]


def read(reader: WarehouseReader) -> Frames:
    """Return the metrics of the days, the campaigns with their names over time, and the calendar."""
    return {
        "metrics": reader.within("core.campaign_metrics", "metric_at", "campaign_id", *MEASURES, "is_deleted"),
        "campaigns": reader.table(
            "core.campaigns",
            "campaign_id",
            "user_id",
            "currency_code",
            "starts_at",
            "ends_at",
            "deleted_at",
            "is_deleted",
        ),
        "names": reader.table("core.campaigns_history", "campaign_id", "name", "valid_from", "valid_to"),
        "calendar": reader.within("core.calendar", "date_day"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return sums by campaign and day, for days with metrics and days of the flight."""
    campaigns, zone = frames["campaigns"], span.zone
    metrics = frames["metrics"].where(~F.col("is_deleted")).withColumn("date_day", day_of(F.col("metric_at"), zone))
    facts = summed(metrics, "campaign_id", "date_day").withColumn("has_data", F.lit(True))
    rows = facts.join(_flights(campaigns, frames["calendar"], span), ["campaign_id", "date_day"], "full")
    rows = rows.where((F.col("date_day") <= F.lit(span.as_of_day)) & in_ranges(F.col("date_day"), span.ranges))
    rows = rows.fillna(0, ["impressions", "clicks", "conversions"]).fillna(False, ["has_data"])
    rows = rows.withColumn("spend", F.coalesce("spend", F.lit(0).cast("decimal(20,4)")))
    rows = rows.join(campaigns.select("campaign_id", "user_id", "currency_code"), "campaign_id", "left")
    rows = named_at(rows, frames["names"], "campaign_id", end_of(F.col("date_day"), zone), "name")
    return rows.select(
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
    """Return every day of the flight of each campaign that is not deleted; a flight without an end continues."""
    living = campaigns.where(~F.col("is_deleted") & F.col("deleted_at").isNull() & F.col("starts_at").isNotNull())
    flights = living.select(
        "campaign_id",
        day_of(F.col("starts_at"), span.zone).alias("from_day"),
        F.date_add(day_of(F.col("ends_at"), span.zone), 1).alias("until_day"),
    )
    days = days_of(clipped(flights, span)).select("campaign_id", "date_day")
    return days.join(F.broadcast(calendar), "date_day", "left_semi")
