"""marts.creative_performance_daily: delivery by content asset and day, with the model that created the asset."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.intervals import clipped, days_of
from spark_jobs.measures import MEASURES, NO_CURRENCY, UNKNOWN, day_of, end_of, in_ranges, money, named_at, rates
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]

FACTS = ("ad_id", "date_day", "content_id", "currency_code", *MEASURES)


def read(reader: WarehouseReader) -> Frames:
    """Return the ad metrics and campaign delivery of the days, the versions of ads and ad groups, and the assets."""
    return {
        "metrics": reader.within("core.ad_metrics", "metric_at", "ad_id", *MEASURES, "is_deleted"),
        "days": reader.within("marts.campaign_performance_daily", "date_day", "campaign_id", *MEASURES, "has_data"),
        "ads": reader.query("ads"),
        "groups": reader.query("groups"),
        "assets": reader.query("assets"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return sums by the asset that ads showed at the end of the day; allocated delivery is in separate rows."""
    ads = frames["ads"].join(frames["groups"], "ad_group_id", "left")
    measured = _measured(frames["metrics"], ads, span)
    days = frames["days"].where("has_data").join(measured, ["campaign_id", "date_day"], "left_anti")
    allocated = _allocated(days, ads, span)
    rows = measured.select(*FACTS, F.lit(False).alias("is_allocated")).unionByName(
        allocated.select(*FACTS, F.lit(True).alias("is_allocated"))
    )
    return _select(_summed(rows.join(frames["assets"], "content_id", "left")), span)


def _measured(metrics: DataFrame, ads: DataFrame, span: Span) -> DataFrame:
    """Return the metrics of ads on the days, with the asset and campaign that each ad had at the end of the day."""
    metrics = metrics.where(~F.col("is_deleted")).withColumn("date_day", day_of(F.col("metric_at"), span.zone))
    metrics = metrics.where((F.col("date_day") <= F.lit(span.as_of_day)) & in_ranges(F.col("date_day"), span.ranges))
    day_end = end_of(F.col("date_day"), span.zone)
    return named_at(metrics, ads, "ad_id", day_end, "content_id", "campaign_id", "currency_code")


def _allocated(days: DataFrame, ads: DataFrame, span: Span) -> DataFrame:
    """Return the campaigns' delivery on the days, split equally among the ads active at the end of the day."""
    ads = ads.where(F.col("status") == "active").withColumns({
        "from_day": day_of(F.greatest("valid_from", "made_at"), span.zone),
        "until_day": day_of(F.least("valid_to", "gone_at"), span.zone),
    })  # fmt: skip
    active = days_of(clipped(ads, span))
    of_day = Window.partitionBy("campaign_id", "date_day")
    shares = days.join(active, ["campaign_id", "date_day"]).withColumns(
        {"ads": F.count("*").over(of_day), "place": F.row_number().over(of_day.orderBy("ad_id"))}
    )
    least = F.lit("0.0001").cast("decimal(5,4)")
    units = _share((10_000 * F.col("spend")).cast("decimal(27,0)"))
    return shares.withColumns({
        **{
            name: _share(F.col(name).cast("decimal(19,0)")).cast("bigint")
            for name in ("impressions", "clicks", "conversions")
        },
        "spend": money(units * least),
    })  # fmt: skip


def _share(total: Column) -> Column:
    """Return an ad's part of a whole number; the first ads get one more, so that the parts add up to the total."""
    rest = total % F.col("ads")
    # Spark's integer division returns a bigint, which is too narrow for money
    whole = ((total - rest) / F.col("ads")).cast("decimal(27,0)")
    return (whole + F.when(F.col("place") <= rest, 1).otherwise(0)).cast("decimal(27,0)")


def _summed(rows: DataFrame) -> DataFrame:
    return rows.groupBy(
        # the content id of an ad counts as its asset even if the asset is unknown
        F.coalesce("content_id", F.lit(UNKNOWN)).alias("asset_id"),
        "date_day",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        F.coalesce("model_label", F.lit(UNKNOWN)).alias("model_label"),
        F.coalesce("asset_type", F.lit(UNKNOWN)).alias("asset_type"),
        "is_allocated",
    ).agg(
        F.count_distinct("ad_id").alias("ads"),
        F.sum("impressions").alias("impressions"),
        F.sum("clicks").alias("clicks"),
        money(F.sum("spend")).alias("spend"),
        F.sum("conversions").alias("conversions"),
    )


def _select(rows: DataFrame, span: Span) -> DataFrame:
    return rows.select(
        "asset_id",
        "date_day",
        "currency_code",
        "model_label",
        "asset_type",
        "ads",
        *MEASURES,
        *rates(),
        (F.col("date_day") >= F.lit(span.provisional_from)).alias("is_provisional"),
        "is_allocated",
    )
