"""marts.sales_pipeline_daily: the open deals at the end of each day."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.measures import UNKNOWN, day_of, end_of, in_ranges, money, ratio
from spark_jobs.source import Source
from spark_jobs.span import Span

Frames = dict[str, DataFrame]


def read(source: Source) -> Frames:
    """Deals that were open on one of the days, their moves and versions."""
    return {
        "deals": source.query("deals"),
        "moves": source.query("moves"),
        "versions": source.query("versions"),
        "stages": source.table(
            "core.pipeline_stages", "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed"
        ),
        "calendar": source.within("core.calendar", "date_day"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Each deal on each day, with stage, amount and owner as they were at its end."""
    found = _on_days(frames, span).join(F.broadcast(frames["stages"]), "stage_id", "left")
    # a stage that is not known (yet) says nothing: then the deal does
    found = found.where(~F.coalesce("is_closed", F.col("closed_at").isNotNull()))
    weighted = F.col("amount") * F.coalesce("probability", "default_probability")
    found = found.groupBy(
        *("date_day", "stage_id", "owner_user_id", "currency_code"),
        F.coalesce("pipeline_code", F.lit(UNKNOWN)).alias("pipeline_code"),
        F.coalesce("name", F.lit(UNKNOWN)).alias("stage_name"),
        F.col("position").alias("stage_position"),
    ).agg(
        F.count("*").alias("open_count"),
        money(F.coalesce(F.sum("amount"), F.lit(0)), 2).alias("open_amount"),
        money(F.coalesce(F.sum(weighted), F.lit(0))).alias("weighted_amount"),
        F.sum(F.datediff("date_day", "created_day")).alias("age_days"),
    )
    return found.select(
        "date_day",
        "stage_id",
        "owner_user_id",
        "currency_code",
        "pipeline_code",
        "stage_name",
        "stage_position",
        "open_count",
        "open_amount",
        "weighted_amount",
        ratio(F.col("age_days"), F.col("open_count")).alias("avg_age_days"),
    )


def _on_days(frames: Frames, span: Span) -> DataFrame:
    calendar = frames["calendar"].where(
        (F.col("date_day") <= F.lit(span.as_of_day)) & in_ranges(F.col("date_day"), span.ranges)
    )
    calendar = calendar.withColumn("day_end", end_of(F.col("date_day"), span.zone))
    deals = frames["deals"].withColumn("created_day", day_of(F.col("created_at"), span.zone))
    on_days = deals.join(F.broadcast(calendar), F.col("created_at") < F.col("day_end"))
    of_deal = Window.partitionBy("opportunity_id").orderBy("changed_at", "change_id")
    visits = frames["moves"].select(
        F.col("opportunity_id").alias("moved_id"),
        F.col("to_stage_id").alias("log_stage_id"),
        F.col("changed_at").alias("entered_at"),
        F.lead("changed_at").over(of_deal).alias("left_at"),
    )
    versions = frames["versions"].withColumnRenamed("opportunity_id", "version_id")
    end = F.col("day_end")
    is_there = (F.col("entered_at") < end) & (F.col("left_at").isNull() | (F.col("left_at") >= end))
    is_valid = (F.col("valid_from") < end) & (F.col("valid_to") >= end)
    return (
        on_days.join(visits, (F.col("opportunity_id") == F.col("moved_id")) & is_there, "left")
        .join(versions, (F.col("opportunity_id") == F.col("version_id")) & is_valid, "left")
        # the log says when exactly; where it has nothing, the versions the hourly load saw do
        .withColumn("stage_id", F.coalesce("log_stage_id", "version_stage_id"))
    )
