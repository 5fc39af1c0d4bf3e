"""marts.creative_performance_daily: content asset by day, with the model that made it."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.measures import MEASURES, NO_CURRENCY, UNKNOWN, day_of, end_of, in_ranges, money, named_at, rates
from spark_jobs.source import Source
from spark_jobs.span import Span

Frames = dict[str, DataFrame]


def read(source: Source) -> Frames:
    """Metrics of the days, what each ad showed, whose it was, and what is known of assets."""
    return {
        "metrics": source.within("core.ad_metrics", "metric_at", "ad_id", *MEASURES, "is_deleted"),
        "ads": source.table("core.ads_history", "ad_id", "content_id", "ad_group_id", "valid_from", "valid_to"),
        "currencies": source.query("currencies"),
        "assets": source.query("assets"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Sums by what the ads showed at the end of the day."""
    metrics = (
        frames["metrics"].where(~F.col("is_deleted")).withColumn("date_day", day_of(F.col("metric_at"), span.zone))
    )
    metrics = metrics.where((F.col("date_day") <= F.lit(span.as_of_day)) & in_ranges(F.col("date_day"), span.ranges))
    day_end = end_of(F.col("date_day"), span.zone)
    found = named_at(metrics, frames["ads"], "ad_id", day_end, "content_id", "ad_group_id")
    found = found.join(frames["currencies"], "ad_group_id", "left").join(frames["assets"], "content_id", "left")
    found = found.groupBy(
        # an ad whose asset is not known keeps the id it has
        F.coalesce("content_id", F.lit(UNKNOWN)).alias("asset_id"),
        "date_day",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        F.coalesce("model_label", F.lit(UNKNOWN)).alias("model_label"),
        F.coalesce("asset_type", F.lit(UNKNOWN)).alias("asset_type"),
    ).agg(
        F.count_distinct("ad_id").alias("ads"),
        F.sum("impressions").alias("impressions"),
        F.sum("clicks").alias("clicks"),
        money(F.sum("spend")).alias("spend"),
        F.sum("conversions").alias("conversions"),
    )
    return found.select(
        "asset_id",
        "date_day",
        "currency_code",
        "model_label",
        "asset_type",
        "ads",
        *MEASURES,
        *rates(),
        (F.col("date_day") >= F.lit(span.provisional_from)).alias("is_provisional"),
    )
