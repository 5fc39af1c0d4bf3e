"""marts.sales_pipeline_daily: open deals at the end of each day, as running sums of changes."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.intervals import clipped, days_of, running
from spark_jobs.measures import UNKNOWN, day_of, in_ranges, money, ratio
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]

GROUP = ("stage_id", "owner_user_id", "currency_code")
SUMS = ("open_count", "open_amount", "weighted_amount", "created_days")


def read(reader: WarehouseReader) -> Frames:
    """Return the deals that were open on one of the days, with their moves and versions, and the stages."""
    return {
        "deals": reader.query("deals"),
        "moves": reader.query("moves"),
        "versions": reader.query("versions"),
        "stages": reader.table(
            "core.pipeline_stages", "stage_id", "pipeline_code", "name", "position", "default_probability", "is_closed"
        ),
        "calendar": reader.within("core.calendar", "date_day"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return the sums of each day, from running sums so that a deal costs the same however long it is open."""
    stages = F.broadcast(frames["stages"])
    states = _states(frames, span).join(
        stages.select("stage_id", "default_probability", "is_closed"), "stage_id", "left"
    )
    # if the stage is not loaded yet, closed_at of the deal decides
    states = states.where(~F.coalesce("is_closed", F.col("closed_at").isNotNull()))
    rows = days_of(running(_changes(states), GROUP, SUMS).where(F.col("open_count") > 0))
    rows = rows.where(in_ranges(F.col("date_day"), span.ranges))
    rows = rows.join(F.broadcast(frames["calendar"]), "date_day", "left_semi").join(stages, "stage_id", "left")
    age_days = F.col("open_count") * F.unix_date("date_day") - F.col("created_days")
    return rows.select(
        "date_day",
        *GROUP,
        F.coalesce("pipeline_code", F.lit(UNKNOWN)).alias("pipeline_code"),
        F.coalesce("name", F.lit(UNKNOWN)).alias("stage_name"),
        F.col("position").alias("stage_position"),
        "open_count",
        money(F.col("open_amount"), 2).alias("open_amount"),
        money(F.col("weighted_amount")).alias("weighted_amount"),
        ratio(age_days, F.col("open_count")).alias("avg_age_days"),
    )


def _states(frames: Frames, span: Span) -> DataFrame:
    """Each deal's stage, owner and amount at the end of the days ``from_day`` <= day < ``until_day``."""
    deals = frames["deals"].withColumn("created_day", day_of(F.col("created_at"), span.zone))
    moves = frames["moves"].select(
        "opportunity_id",
        F.col("changed_at").alias("at"),
        F.col("change_id").alias("place"),
        F.struct("to_stage_id").alias("move"),
    )
    versions = frames["versions"].select(
        "opportunity_id",
        F.col("valid_from").alias("at"),
        F.unix_micros("valid_to").alias("place"),
        F.struct("version_stage_id", "owner_user_id", "amount").alias("version"),
    )
    changes = moves.unionByName(versions, allowMissingColumns=True).join(deals, "opportunity_id")
    changes = changes.withColumn("from_day", F.greatest(day_of(F.col("at"), span.zone), "created_day"))
    of_deal = Window.partitionBy("opportunity_id").orderBy("from_day", "at", "place")
    so_far = of_deal.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    states = changes.withColumns({
        "move": F.last("move", ignorenulls=True).over(so_far),
        "version": F.last("version", ignorenulls=True).over(so_far),
        "until_day": F.lead("from_day").over(of_deal),
    }).withColumns({
        # the log of moves is exact; versions fill in where it has no move, because hourly loads can miss some
        "stage_id": F.coalesce("move.to_stage_id", "version.version_stage_id"),
        "owner_user_id": F.col("version.owner_user_id"),
        "amount": F.col("version.amount"),
    })  # fmt: skip
    return clipped(states, span)


def _changes(states: DataFrame) -> DataFrame:
    """Return what each state adds to the sums of its group on its first day, and removes after its last."""
    amount = F.col("amount")
    added: dict[str, Column] = {
        "open_count": F.lit(1),
        "open_amount": F.coalesce(amount, F.lit(0)),
        "weighted_amount": F.coalesce(amount * F.coalesce("probability", "default_probability"), F.lit(0)),
        # the total age of a group on a day is open_count * day - created_days
        "created_days": F.unix_date("created_day"),
    }
    came = states.select(*GROUP, "from_day", *(column.alias(name) for name, column in added.items()))
    gone = states.select(
        *GROUP, F.col("until_day").alias("from_day"), *((-column).alias(name) for name, column in added.items())
    )
    return came.unionAll(gone)
