"""The formulas that marts share: ratios from sums, null on a zero denominator, no money as a float."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

UNKNOWN = "Unknown"
NO_CURRENCY = "XXX"
MEASURES = ("impressions", "clicks", "spend", "conversions")


def money(column: Column, scale: int = 4) -> Column:
    """A sum of money, as the marts hold it."""
    return column.cast(f"decimal(20,{scale})")


def cost(column: Column) -> Column:
    """Return a sum of what prompts cost, as the marts hold it: to the last place of a single prompt's cost."""
    return column.cast("decimal(38,12)")


def ratio(above: Column, below: Column, scale: int = 6) -> Column:
    """A quotient rounded to ``scale``; null when the denominator is 0 or unknown."""
    # of these types Spark keeps 18 digits of the quotient, so that it is in effect rounded once
    divisor = F.when(below != 0, below.cast("decimal(20,4)"))
    return (above.cast("decimal(28,12)") / divisor).cast(f"decimal(20,{scale})")


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
    """The facts with columns of the version of their parent that held just before an instant; null for none."""
    versions = history.select(F.col(key).alias("_key"), "valid_from", "valid_to", *columns)
    is_valid = (versions.valid_from < instant) & (versions.valid_to >= instant)
    return facts.join(versions, (facts[key] == versions["_key"]) & is_valid, "left").drop(
        "_key", "valid_from", "valid_to"
    )
