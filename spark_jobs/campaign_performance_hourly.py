"""marts.campaign_performance_hourly: delivery by campaign and hour, only for hours with data."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import MEASURES, NO_CURRENCY, UNKNOWN, day_of, hour_of, in_ranges, named_at, rates, summed
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]


def read(reader: WarehouseReader) -> Frames:
    """Return the metrics of the days, and the campaigns with their names over time."""
    return {
        "metrics": reader.within("core.campaign_metrics", "metric_at", "campaign_id", *MEASURES, "is_deleted"),
        "campaigns": reader.table("core.campaigns", "campaign_id", "currency_code"),
        "names": reader.table("core.campaigns_history", "campaign_id", "name", "valid_from", "valid_to"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return sums by campaign and hour."""
    metrics = frames["metrics"].where(~F.col("is_deleted"))
    metrics = metrics.withColumn("hour_at", hour_of(F.col("metric_at"), span.zone))
    rows = summed(metrics, "campaign_id", "hour_at").withColumn("date_day", day_of(F.col("hour_at"), span.zone))
    rows = rows.where(in_ranges(F.col("date_day"), span.ranges))
    rows = rows.join(frames["campaigns"], "campaign_id", "left")
    rows = named_at(rows, frames["names"], "campaign_id", F.expr("hour_at + interval 1 hour"), "name")
    return rows.select(
        "campaign_id",
        "hour_at",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        "date_day",
        F.coalesce("name", F.lit(UNKNOWN)).alias("campaign_name"),
        *MEASURES,
        *rates(),
    )
