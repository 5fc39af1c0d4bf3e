"""marts.sales_performance_monthly: deals won and lost by close month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import UNKNOWN, day_of, in_ranges, money, month_of, ratio
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]


def read(reader: WarehouseReader) -> Frames:
    """Return the deals closed in the months, and the stages."""
    return {
        "deals": reader.query("deals", "closed_at"),
        "stages": reader.table("core.pipeline_stages", "stage_id", "pipeline_code", "is_won"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return counts, amounts, win rates and days to close by month, owner, pipeline and currency."""
    closed_day = day_of(F.col("closed_at"), span.zone)
    deals = frames["deals"].withColumns({
        "month_start_date": month_of(closed_day),
        "days": F.datediff(closed_day, day_of(F.col("created_at"), span.zone)),
    }).where(in_ranges(F.col("month_start_date"), span.ranges))  # fmt: skip
    deals = deals.join(F.broadcast(frames["stages"]), "stage_id", "left").fillna(False, ["is_won"])
    amount = F.coalesce("amount", F.lit(0))
    rows = deals.groupBy(
        "month_start_date",
        "owner_user_id",
        F.coalesce("pipeline_code", F.lit(UNKNOWN)).alias("pipeline_code"),
        "currency_code",
    ).agg(
        F.count_if("is_won").alias("won"),
        F.count_if(~F.col("is_won")).alias("lost"),
        money(F.sum(F.when(F.col("is_won"), amount).otherwise(0)), 2).alias("won_amount"),
        money(F.sum(F.when(F.col("is_won"), 0).otherwise(amount)), 2).alias("lost_amount"),
        F.sum("days").alias("days"),
        F.percentile("days", 0.5).cast("decimal(10,2)").alias("median_days_to_close"),
    )
    closed = F.col("won") + F.col("lost")
    return rows.select(
        "month_start_date",
        "owner_user_id",
        "pipeline_code",
        "currency_code",
        "won",
        "lost",
        "won_amount",
        "lost_amount",
        ratio(F.col("won"), closed).alias("win_rate"),
        ratio(F.col("won_amount"), F.col("won_amount") + F.col("lost_amount")).alias("value_win_rate"),
        ratio(F.col("days"), closed).alias("avg_days_to_close"),
        "median_days_to_close",
    )
