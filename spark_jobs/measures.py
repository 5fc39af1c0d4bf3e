"""Formulas that several marts use. Ratios are computed from sums, null for a zero denominator, and never as floats."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

UNKNOWN = "Unknown"
NO_CURRENCY = "XXX"
MEASURES = ("impressions", "clicks", "spend", "conversions")


def money(column: Column, scale: int = 4) -> Column:
    """Return a sum of money with 23 digits before the point, enough for a billion rows with 14 digits."""
    return column.cast(f"decimal({23 + scale},{scale})")


def cost(column: Column) -> Column:
    """Return a sum of prompt costs with the twelve decimals of a single prompt's cost."""
    return column.cast("decimal(38,12)")


def ratio(above: Column, below: Column) -> Column:
    """Return a quotient to six decimals; null when the denominator is null or 0.

    The dividend has at most six decimals and the denominator at most four. With these types Spark rounds once, to six
    decimals, and keeps 32 digits before the point.
    """
    divisor = F.when(below != 0, below.cast("decimal(38,4)"))
    return (above.cast("decimal(38,6)") / divisor).cast("decimal(38,6)")


def cost_ratio(above: Column, below: Column) -> Column:
    """Return a quotient of a cost with twelve decimals, to six decimals; null when the denominator is null or 0."""
    divisor = F.when(below != 0, below.cast("decimal(38,6)"))
    return (above.cast("decimal(38,12)") / divisor).cast("decimal(38,6)")


def unit_cost(cost_sum: Column, units: Column, scale: int = 12) -> Column:
    """Return a cost per token or asset to ``scale`` decimals, which is 10 or 12; null when the units are null or 0.

    With 22 digits before the point of the dividend and 16 - ``scale`` decimals of the units, Spark rounds once, to
    ``scale`` decimals.
    """
    divisor = F.when(units != 0, units.cast(f"decimal(34,{16 - scale})"))
    return (cost_sum.cast("decimal(34,12)") / divisor).cast(f"decimal(38,{scale})")


def day_of(time: Column, zone: str) -> Column:
    """Return the day of an instant in the reporting zone."""
    return F.to_date(F.from_utc_timestamp(time, zone))


def hour_of(time: Column, zone: str) -> Column:
    """Return the start of an instant's hour in the reporting zone; hours repeated by a clock change stay separate."""
    local = F.from_utc_timestamp(time, zone)
    return F.timestamp_micros(F.unix_micros(time) - F.unix_micros(local) + F.unix_micros(F.date_trunc("hour", local)))


def month_of(day: Column) -> Column:
    """Return the first day of a day's month."""
    return F.trunc(day, "month")


def end_of(day: Column, zone: str) -> Column:
    """Return the instant at which a day of the reporting zone ends."""
    return F.to_utc_timestamp(F.date_add(day, 1).cast("timestamp"), zone)


def in_ranges(day: Column, ranges: tuple[tuple[object, object], ...]) -> Column:
    """Return whether a day is in one of the half-open ranges."""
    is_inside = F.lit(False)
    for start, end in ranges:
        is_inside = is_inside | ((day >= F.lit(start)) & (day < F.lit(end)))
    return is_inside


def summed(facts: DataFrame, *grain: str) -> DataFrame:
    """Return the sums of the four measures of ad delivery."""
    return facts.groupBy(*grain).agg(
        F.sum("impressions").alias("impressions"),
        F.sum("clicks").alias("clicks"),
        money(F.sum("spend")).alias("spend"),
        F.sum("conversions").alias("conversions"),
    )


def rates() -> list[Column]:
    """Return ctr, cpc, cpm, cvr and cpa of summed measures."""
    spend, clicks, impressions, conversions = map(F.col, ("spend", "clicks", "impressions", "conversions"))
    return [
        ratio(clicks, impressions).alias("ctr"),
        ratio(spend, clicks).alias("cpc"),
        ratio(1000 * spend, impressions).alias("cpm"),
        ratio(conversions, clicks).alias("cvr"),
        ratio(spend, conversions).alias("cpa"),
    ]


def named_at(facts: DataFrame, history: DataFrame, key: str, instant: Column, *columns: str) -> DataFrame:
    """Return facts with columns of the version of their parent that was valid just before an instant; null for none.

    Facts and versions are sorted together by time, because a join would pair each fact with every version.
    """
    versions = history.select(key, F.col("valid_from").alias("_at"), F.struct("valid_to", *columns).alias("_version"))
    marked = facts.withColumns({"_at": instant, "_is_fact": F.lit(True)})
    # a version that starts at the instant sorts after the fact
    so_far = Window.partitionBy(key).orderBy("_at", F.desc_nulls_last("_is_fact"))
    so_far = so_far.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    timeline = marked.unionByName(versions, allowMissingColumns=True)
    rows = timeline.withColumn("_version", F.last("_version", ignorenulls=True).over(so_far)).where("_is_fact")
    is_valid = F.col("_version.valid_to") >= F.col("_at")
    return rows.select(*facts.columns, *(F.when(is_valid, F.col(f"_version.{name}")).alias(name) for name in columns))
