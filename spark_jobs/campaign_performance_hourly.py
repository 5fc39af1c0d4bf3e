"""marts.campaign_performance_hourly: campaign by hour, hours with data only."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import MEASURES, NO_CURRENCY, UNKNOWN, day_of, hour_of, in_ranges, named_at, rates, summed
from spark_jobs.source import Source

Frames = dict[str, DataFrame]


def read(source: Source) -> Frames:
    """Metrics of the days, and what is known of campaigns."""
    return {
        "metrics": source.within("core.campaign_metrics", "metric_at", "campaign_id", *MEASURES, "is_deleted"),
        "campaigns": source.table("core.campaigns", "campaign_id", "currency_code"),
        "names": source.table("core.campaigns_history", "campaign_id", "name", "valid_from", "valid_to"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Sums by campaign and hour."""
    metrics = frames["metrics"].where(~F.col("is_deleted"))
    metrics = metrics.withColumn("hour_at", hour_of(F.col("metric_at"), span.zone))
    found = summed(metrics, "campaign_id", "hour_at").withColumn("date_day", day_of(F.col("hour_at"), span.zone))
    found = found.where(in_ranges(F.col("date_day"), span.ranges))
    found = found.join(frames["campaigns"], "campaign_id", "left")
    found = named_at(found, frames["names"], "campaign_id", F.expr("hour_at + interval 1 hour"), "name")
    return found.select(
        "campaign_id",
        "hour_at",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        "date_day",
        F.coalesce("name", F.lit(UNKNOWN)).alias("campaign_name"),
        *MEASURES,
        *rates(),
    )
