"""marts.subscription_mrr_monthly: monthly recurring revenue of each user at the end of each month, and its movement."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import NO_CURRENCY, day_of, end_of, in_ranges, money, month_of, named_at
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]


def read(reader: WarehouseReader) -> Frames:
    """Return all subscriptions with their plans over time, because movements need earlier months, and the prices."""
    return {
        "subscriptions": reader.table(
            "core.subscriptions", "subscription_id", "user_id", "starts_at", "ends_at", "deleted_at"
        ),
        "plans": reader.table("core.subscriptions_history", "subscription_id", "plan_type", "valid_from", "valid_to"),
        "prices": reader.query("prices"),
        "calendar": reader.within("core.calendar", "date_day"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return the revenue of each user in each month, compared with that of the month before."""
    days = frames["calendar"].where(
        (F.col("date_day") <= F.lit(span.as_of_day)) & in_ranges(F.col("date_day"), span.ranges)
    )
    months = days.select(month_of(F.col("date_day")).alias("month_start_date")).distinct()
    subscriptions = frames["subscriptions"].where(F.col("deleted_at").isNull()).withColumns({
        "starts_on": day_of(F.col("starts_at"), span.zone), "ends_on": day_of(F.col("ends_at"), span.zone),
    })  # fmt: skip
    now = _snapshot(
        subscriptions,
        frames,
        months.withColumn("snapshot_on", F.least(F.last_day("month_start_date"), F.lit(span.as_of_day))),
        span,
    )
    then = _snapshot(subscriptions, frames, months.withColumn("snapshot_on", F.date_sub("month_start_date", 1)), span)
    then = then.select("user_id", "month_start_date", "currency_code", F.col("mrr").alias("opening_mrr"))
    rows = now.join(then, ["user_id", "month_start_date", "currency_code"], "full").join(
        _first(subscriptions), "user_id", "left"
    )
    zero = F.lit(0).cast("decimal(20,2)")
    # a plan without a price leaves mrr null, and the checks then block the mart
    rows = rows.withColumns({
        "mrr": F.when(F.col("plans").isNull(), zero).otherwise(F.col("mrr")),
        "opening_mrr": F.coalesce("opening_mrr", zero),
    })  # fmt: skip
    return rows.where(F.col("mrr").isNull() | (F.col("mrr") > 0) | (F.col("opening_mrr") > 0)).select(
        "user_id",
        "month_start_date",
        "currency_code",
        F.coalesce("plans", F.lit("")).alias("plans"),
        "opening_mrr",
        "mrr",
        money(F.col("mrr") - F.col("opening_mrr"), 2).alias("change"),
        _movement().alias("movement"),
        (F.last_day("month_start_date") > F.lit(span.as_of_day)).alias("is_provisional"),
    )


def _snapshot(subscriptions: DataFrame, frames: Frames, months: DataFrame, span: Span) -> DataFrame:
    """Return what each user pays on the snapshot day of each month; the end day of a subscription is not paid."""
    day, prices = F.col("snapshot_on"), frames["prices"]
    is_active = (F.col("starts_on") <= day) & (F.col("ends_on").isNull() | (F.col("ends_on") > day))
    active = _months(subscriptions, span).join(F.broadcast(months), "month_start_date").where(is_active)
    plans = frames["plans"].withColumnRenamed("plan_type", "plan")
    active = named_at(active, plans, "subscription_id", end_of(day, span.zone), "plan")
    is_price = (F.col("plan") == F.col("plan_type")) & (F.col("price_from") <= day) & (F.col("price_to") > day)
    active = active.join(F.broadcast(prices), is_price, "left")
    is_priced = F.count("*") == F.count("monthly_amount")
    return active.groupBy(
        "user_id", "month_start_date", F.coalesce("currency_code", F.lit(NO_CURRENCY)).alias("currency_code")
    ).agg(
        F.concat_ws(", ", F.sort_array(F.collect_list("plan"))).alias("plans"),
        F.when(is_priced, money(F.sum("monthly_amount"), 2)).alias("mrr"),
    )


def _months(subscriptions: DataFrame, span: Span) -> DataFrame:
    """Return the months of each subscription, and the month after its end, whose opening revenue includes it."""
    first = min(start for start, _ in span.ranges)
    start = month_of(F.greatest("starts_on", F.lit(first)))
    end = F.add_months(month_of(F.least("ends_on", F.lit(span.as_of_day))), 1)
    months = F.sequence(start, end, F.expr("interval 1 month"))
    return subscriptions.where(F.col("starts_on").isNotNull() & (start <= end)).withColumn(
        "month_start_date", F.explode(months)
    )


def _first(subscriptions: DataFrame) -> DataFrame:
    """Return the first month at whose end each user paid."""
    month_end = F.last_day("starts_on")
    paid = subscriptions.where(F.col("ends_on").isNull() | (F.col("ends_on") > month_end))
    return paid.groupBy("user_id").agg(month_of(F.min("starts_on")).alias("first_month"))


def _movement() -> Column:
    mrr, opening = F.col("mrr"), F.col("opening_mrr")
    return (
        F.when((opening == 0) & (F.coalesce("first_month", "month_start_date") >= F.col("month_start_date")), "new")
        .when(opening == 0, "reactivation")
        .when(mrr == 0, "churn")
        .when(mrr > opening, "expansion")
        .when(mrr < opening, "contraction")
        .otherwise("unchanged")
    )
