"""The formulas that marts share: ratios from sums, null on a zero denominator, no money as a float."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

UNKNOWN = "Unknown"
NO_CURRENCY = "XXX"
MEASURES = ("impressions", "clicks", "spend", "conversions")


def money(column: Column, scale: int = 4) -> Column:
    """Return a sum of money as the marts hold it: 23 digits before the point, for a thousand million rows of 14."""
    return column.cast(f"decimal({23 + scale},{scale})")


def cost(column: Column) -> Column:
    """Return a sum of what prompts cost, as the marts hold it: to the last place of a single prompt's cost."""
    return column.cast("decimal(38,12)")


def ratio(above: Column, below: Column) -> Column:
    """Return a quotient of numbers of at most six decimals by one of at most four; null without a denominator or by 0.

    It is rounded once, to six decimals: of these types Spark keeps so many, and 32 digits before the point.
    """
    divisor = F.when(below != 0, below.cast("decimal(38,4)"))
    return (above.cast("decimal(38,6)") / divisor).cast("decimal(38,6)")


def cost_ratio(above: Column, below: Column) -> Column:
    """Return a quotient of a cost, of twelve decimals, to six; null without a denominator or by 0."""
    divisor = F.when(below != 0, below.cast("decimal(38,6)"))
    return (above.cast("decimal(38,12)") / divisor).cast("decimal(38,6)")


def unit_cost(cost_sum: Column, units: Column, scale: int = 12) -> Column:
    """Return a cost per token or asset to the last place of a single prompt's cost; null as in ``ratio``.

    It is rounded once: of a dividend with 22 digits before the point Spark keeps the ``scale``, 10 or 12, if the units
    have the rest of 16 as decimals.
    """
    divisor = F.when(units != 0, units.cast(f"decimal(34,{16 - scale})"))
    return (cost_sum.cast("decimal(34,12)") / divisor).cast(f"decimal(38,{scale})")


def day_of(time: Column, zone: str) -> Column:
    """The day of an instant in the reporting zone."""
    return F.to_date(F.from_utc_timestamp(time, zone))


def hour_of(time: Column, zone: str) -> Column:
    """The instant at which an hour of the reporting zone begins; of an hour that clocks repeat, each has its own."""
    local = F.from_utc_timestamp(time, zone)
    return F.timestamp_micros(F.unix_micros(time) - F.unix_micros(local) + F.unix_micros(F.date_trunc("hour", local)))


def month_of(day: Column) -> Column:
    """The first day of a day's month."""
    return F.trunc(day, "month")


def end_of(day: Column, zone: str) -> Column:
    """The instant at which a day of the reporting zone ends."""
    return F.to_utc_timestamp(F.date_add(day, 1).cast("timestamp"), zone)


def in_ranges(day: Column, ranges: tuple[tuple[object, object], ...]) -> Column:
    """Whether a day is one of those that are built."""
    found = F.lit(False)
    for start, end in ranges:
        found = found | ((day >= F.lit(start)) & (day < F.lit(end)))
    return found


def summed(facts: DataFrame, *grain: str) -> DataFrame:
    """The four measures of ad delivery, added up."""
    return facts.groupBy(*grain).agg(
        F.sum("impressions").alias("impressions"),
        F.sum("clicks").alias("clicks"),
        money(F.sum("spend")).alias("spend"),
        F.sum("conversions").alias("conversions"),
    )


def rates() -> list[Column]:
    """ctr, cpc, cpm, cvr and cpa of summed measures."""
    spend, clicks, impressions, conversions = map(F.col, ("spend", "clicks", "impressions", "conversions"))
    return [
        ratio(clicks, impressions).alias("ctr"),
        ratio(spend, clicks).alias("cpc"),
        ratio(1000 * spend, impressions).alias("cpm"),
        ratio(conversions, clicks).alias("cvr"),
        ratio(spend, conversions).alias("cpa"),
    ]


def named_at(facts: DataFrame, history: DataFrame, key: str, instant: Column, *columns: str) -> DataFrame:
    """Give facts columns of the version of their parent that held just before an instant; null for none.

    One pass over facts and versions in the order of time: no fact is paired with each version of its parent.
    """
    versions = history.select(key, F.col("valid_from").alias("_at"), F.struct("valid_to", *columns).alias("_version"))
    marked = facts.withColumns({"_at": instant, "_is_fact": F.lit(True)})
    # a version that begins at the instant comes after the fact
    so_far = Window.partitionBy(key).orderBy("_at", F.desc_nulls_last("_is_fact"))
    so_far = so_far.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    found = marked.unionByName(versions, allowMissingColumns=True)
    found = found.withColumn("_version", F.last("_version", ignorenulls=True).over(so_far)).where("_is_fact")
    is_valid = F.col("_version.valid_to") >= F.col("_at")
    return found.select(*facts.columns, *(F.when(is_valid, F.col(f"_version.{name}")).alias(name) for name in columns))
