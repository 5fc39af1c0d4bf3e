"""marts.campaign_pacing_daily: spend of each campaign compared with its budget, by as-of day."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import NO_CURRENCY, UNKNOWN, day_of, end_of, in_ranges, money, named_at, ratio
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]


def read(reader: WarehouseReader) -> Frames:
    """Return the as-of days of each campaign, its spend on every day so far, and its versions."""
    return {
        "days": reader.query("days", "date_day"),
        "spend": reader.query("spend"),
        "versions": reader.table(
            "core.campaigns_history", "campaign_id", "name", "budget", "starts_at", "ends_at", "valid_from", "valid_to"
        ),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return running totals of spend, and the spend expected by that day."""
    days = frames["days"].where(
        in_ranges(F.col("date_day"), span.ranges) & (F.col("date_day") <= F.lit(span.as_of_day))
    )
    rows = named_at(
        _spent(days, frames["spend"]),
        frames["versions"],
        "campaign_id",
        end_of(F.col("date_day"), span.zone),
        *("name", "budget", "starts_at", "ends_at"),
    )
    rows = rows.withColumns({
        "starts_on": day_of(F.col("starts_at"), span.zone),
        "ends_on": day_of(F.col("ends_at"), span.zone),
    }).withColumns({
        # decimal(7): with the ten digits of an int, Spark would cut decimals of the products
        "flight": (F.datediff("ends_on", "starts_on") + 1).cast("decimal(7,0)"),
        "elapsed": F.greatest(F.datediff("date_day", "starts_on") + 1, F.lit(0)).cast("decimal(7,0)"),
    }).withColumn("elapsed", F.when(F.col("flight").isNotNull(), F.least("elapsed", "flight")))  # fmt: skip
    rows = rows.withColumn(
        "pacing_pct", ratio(100 * F.col("spend_to_date") * F.col("flight"), F.col("budget") * F.col("elapsed"))
    )
    return rows.select(
        "campaign_id",
        "date_day",
        F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code"),
        F.coalesce("name", F.lit(UNKNOWN)).alias("campaign_name"),
        "budget",
        "starts_on",
        "ends_on",
        "spend_to_date",
        F.when(
            (F.col("elapsed") > 0) & (F.col("budget") != 0), ratio(F.col("budget") * F.col("elapsed"), F.col("flight"))
        ).alias("expected_spend"),
        "pacing_pct",
        ratio(F.col("spend_to_date") * F.col("flight"), F.col("elapsed")).alias("projected_spend"),
        ratio(F.col("budget") - F.col("spend_to_date"), F.col("flight") - F.col("elapsed")).alias(
            "required_daily_spend"
        ),
        _status().alias("pacing_status"),
        (F.col("date_day") >= F.lit(span.provisional_from)).alias("is_provisional"),
    )


def _spent(days: DataFrame, spend: DataFrame) -> DataFrame:
    """Return the days with the campaign's spend up to each, in one pass over days and spend ordered by time."""
    so_far = Window.partitionBy("campaign_id").orderBy("date_day").rangeBetween(
        Window.unboundedPreceding, Window.currentRow
    )  # fmt: skip
    marked = days.withColumn("is_day", F.lit(True)).unionByName(spend, allowMissingColumns=True)
    spent = money(F.coalesce(F.sum("spend").over(so_far), F.lit(0)))
    return marked.withColumn("spend_to_date", spent).where("is_day").drop("is_day", "spend")


def _status() -> Column:
    """Return the first status that applies; overspending comes before the statuses that depend on dates."""
    return (
        F.when(F.coalesce(F.col("budget"), F.lit(0)) == 0, "no_budget")
        .when(F.col("spend_to_date") > F.col("budget"), "overspent")
        .when(F.col("starts_on").isNull() | (F.col("date_day") < F.col("starts_on")), "not_started")
        .when(F.col("date_day") > F.col("ends_on"), "ended")
        .when(F.col("ends_on").isNull(), "no_end_date")
        .when(F.col("pacing_pct") < 90, "under")
        .when(F.col("pacing_pct") > 110, "over")
        .otherwise("on_track")
    )
