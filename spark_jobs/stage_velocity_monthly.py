"""marts.stage_velocity_monthly: time that deals stayed in each stage, by the month in which they left it."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import UNKNOWN, day_of, in_ranges, month_of, ratio
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]

MICROSECONDS_A_DAY = 86_400_000_000


def read(reader: WarehouseReader) -> Frames:
    """Return all moves of the deals that moved in the months, and the stages."""
    return {
        "moves": reader.query("moves"),
        "stages": reader.table(
            "core.pipeline_stages", "stage_id", "pipeline_code", "name", "position", "is_closed", "is_won"
        ),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return the number of ended visits per stage, how long they took, and how many moved forward."""
    of_deal = Window.partitionBy("opportunity_id").orderBy("changed_at", "change_id")
    visits = frames["moves"].select(
        F.col("to_stage_id").alias("stage_id"),
        F.lead("to_stage_id").over(of_deal).alias("next_id"),
        F.lead("changed_at").over(of_deal).alias("left_at"),
        "changed_at",
    ).where(F.col("left_at").isNotNull())  # fmt: skip
    visits = visits.withColumn("month_start_date", month_of(day_of(F.col("left_at"), span.zone)))
    stages = F.broadcast(frames["stages"])
    later = frames["stages"].select(
        F.col("stage_id").alias("next_id"),
        F.col("position").alias("next_position"),
        F.col("is_closed").alias("next_closed"),
        F.col("is_won").alias("next_won"),
    )
    visits = visits.join(stages, "stage_id", "left").join(F.broadcast(later), "next_id", "left")
    visits = visits.where(in_ranges(F.col("month_start_date"), span.ranges) & ~F.coalesce("is_closed", F.lit(False)))
    # the position of the lost stage is after every open stage, but a move to it is not forward
    is_later = ~F.col("next_closed") & (F.col("next_position") > F.col("position"))
    return _counted(visits.withColumn("is_forward", F.coalesce(F.col("next_won") | is_later, F.lit(False))))


def _counted(visits: DataFrame) -> DataFrame:
    days = (F.unix_micros("left_at") - F.unix_micros("changed_at")) / F.lit(MICROSECONDS_A_DAY)
    rows = visits.groupBy(
        "month_start_date",
        "stage_id",
        F.coalesce("pipeline_code", F.lit(UNKNOWN)).alias("pipeline_code"),
        F.coalesce("name", F.lit(UNKNOWN)).alias("stage_name"),
        F.col("position").alias("stage_position"),
    ).agg(
        F.count("*").alias("visits"),
        F.count_if("is_forward").alias("forward_visits"),
        F.percentile(days, 0.5).cast("decimal(10,2)").alias("median_days_in_stage"),
        F.percentile(days, 0.9).cast("decimal(10,2)").alias("p90_days_in_stage"),
    )
    return rows.select(
        "month_start_date",
        "stage_id",
        "pipeline_code",
        "stage_name",
        "stage_position",
        "visits",
        "forward_visits",
        "median_days_in_stage",
        "p90_days_in_stage",
        ratio(F.col("forward_visits"), F.col("visits")).alias("forward_rate"),
    )
