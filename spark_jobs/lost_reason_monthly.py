"""marts.lost_reason_monthly: lost deals by reason and close month."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import day_of, in_ranges, money, month_of
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]


def read(reader: WarehouseReader) -> Frames:
    """Return the deals closed in the months, and which stages are won."""
    return {
        "deals": reader.within(
            "core.opportunities",
            "closed_at",
            *("stage_id", "lost_reason", "currency_code", "amount", "deleted_at", "merged_into_id"),
        ),
        "stages": reader.table("core.pipeline_stages", "stage_id", "is_won"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return the number and amount of lost deals by month, reason and currency."""
    deals = frames["deals"].where(F.col("deleted_at").isNull() & F.col("merged_into_id").isNull())
    lost = deals.join(F.broadcast(frames["stages"]), "stage_id", "left").where(~F.coalesce("is_won", F.lit(False)))
    lost = lost.withColumn("month_start_date", month_of(day_of(F.col("closed_at"), span.zone)))
    rows = lost.groupBy(
        "month_start_date", F.coalesce("lost_reason", F.lit("not given")).alias("lost_reason"), "currency_code"
    ).agg(F.count("*").alias("lost"), money(F.coalesce(F.sum("amount"), F.lit(0)), 2).alias("lost_amount"))
    return rows.where(in_ranges(F.col("month_start_date"), span.ranges)).select(
        "month_start_date", "lost_reason", "currency_code", "lost", "lost_amount"
    )
