"""Daily series computed from changes, so that the cost depends on the changes and not on the days between them."""

from collections.abc import Iterable
from datetime import timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from promptsales.marts.span import Span


def clipped(states: DataFrame, span: Span) -> DataFrame:
    """Return states that hold on ``from_day`` <= day < ``until_day``, clipped to the days that are built.

    Args:
        states: with both columns; ``until_day`` is null for a state that still holds.
        span: the days. Days between its ranges are kept, because a running sum needs their changes.
    """
    first = min(start for start, _ in span.ranges)
    last = min(max(end for _, end in span.ranges), span.as_of_day + timedelta(days=1))
    return states.withColumns({
        "from_day": F.greatest("from_day", F.lit(first)), "until_day": F.least("until_day", F.lit(last)),
    }).where(F.col("from_day") < F.col("until_day"))  # fmt: skip


def running(changes: DataFrame, group: Iterable[str], sums: Iterable[str]) -> DataFrame:
    """Return the running sums of each group, and the days ``from_day`` <= day < ``until_day`` on which they hold.

    Args:
        changes: what each ``from_day`` adds to the sums of its group; negative for what it removes.
        group: the columns that identify a group.
        sums: the columns to sum.
    """
    of_group = Window.partitionBy(*group).orderBy("from_day")
    so_far = of_group.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    by_day = changes.groupBy(*group, "from_day").agg(*(F.sum(name).alias(name) for name in sums))
    return by_day.select(
        *group,
        "from_day",
        F.lead("from_day").over(of_group).alias("until_day"),
        *(F.sum(name).over(so_far).alias(name) for name in sums),
    )


def days_of(intervals: DataFrame) -> DataFrame:
    """Return a row for each day of each interval, with the day as ``date_day``."""
    return intervals.withColumn("date_day", F.explode(F.sequence("from_day", F.date_sub("until_day", 1))))


def merged(history: DataFrame, key: str, *columns: str) -> DataFrame:
    """Return the versions with consecutive ones merged if they do not differ in the columns."""
    of_key = Window.partitionBy(key).orderBy("valid_from")
    values = F.struct(*columns)
    marked = history.withColumns({
        "_is_same": values.eqNullSafe(F.lag(values).over(of_key)),
        "_end": F.max("valid_to").over(Window.partitionBy(key)),
    })  # fmt: skip
    until = F.coalesce(F.lead("valid_from").over(of_key), F.col("_end"))
    return marked.where(~F.col("_is_same")).select(key, *columns, "valid_from", until.alias("valid_to"))
