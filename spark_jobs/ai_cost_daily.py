"""marts.ai_cost_daily: cost of prompts by day, model and user."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import UNKNOWN, cost, day_of, in_ranges, unit_cost
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]

CURRENCY = "USD"


def read(reader: WarehouseReader) -> Frames:
    """Return the prompts of the days, and the model of each tool."""
    return {
        "prompts": reader.within(
            "core.prompts", "prompted_at", "user_id", "tool", "tokens_used", "cost_amount", "deleted_at"
        ),
        "models": reader.query("models"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return sums by day, model and user, and a cost per token from prompts that have both cost and tokens."""
    prompts = frames["prompts"].where(F.col("deleted_at").isNull())
    prompts = prompts.withColumn("date_day", day_of(F.col("prompted_at"), span.zone))
    prompts = prompts.where((F.col("date_day") <= F.lit(span.as_of_day)) & in_ranges(F.col("date_day"), span.ranges))
    prompts = prompts.join(F.broadcast(frames["models"]), "tool", "left")
    # a sum of bigint values can exceed Spark's bigint
    prompts = prompts.withColumn("tokens_used", F.col("tokens_used").cast("decimal(19,0)"))
    is_rated = F.col("tokens_used").isNotNull() & F.col("cost_amount").isNotNull()
    rows = prompts.groupBy("date_day", F.coalesce("label", F.lit(UNKNOWN)).alias("model_label"), "user_id").agg(
        F.count("*").alias("prompts"),
        _tokens(F.sum("tokens_used")).alias("tokens"),
        cost(F.coalesce(F.sum("cost_amount"), F.lit(0))).alias("cost"),
        _tokens(F.sum(F.when(is_rated, F.col("tokens_used")))).alias("rated_tokens"),
        cost(F.coalesce(F.sum(F.when(is_rated, F.col("cost_amount"))), F.lit(0))).alias("rated_cost"),
    )
    # the units are scaled instead of the cost: at 38 digits Spark would round the product
    rated_cost = F.col("rated_cost")
    return rows.select(
        "date_day",
        "model_label",
        "user_id",
        F.lit(CURRENCY).alias("currency_code"),
        "prompts",
        "tokens",
        "cost",
        "rated_tokens",
        "rated_cost",
        unit_cost(rated_cost, _times("rated_tokens", "0.001")).alias("cost_per_1k_tokens"),
        unit_cost(rated_cost, _times("rated_tokens", "0.000001"), 10).alias("cost_per_1m_tokens"),
    )


def _times(name: str, part: str) -> Column:
    scale = len(part) - len("0.")
    return F.col(name) * F.lit(part).cast(f"decimal({scale},{scale})")


def _tokens(total: Column) -> Column:
    return F.coalesce(total, F.lit(0)).cast("decimal(28,0)")
