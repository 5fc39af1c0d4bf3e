"""marts.content_production_monthly: assets created in a month, their status, and the cost of their prompts."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from promptsales.marts.span import Span
from spark_jobs.measures import UNKNOWN, cost, day_of, in_ranges, month_of, ratio, unit_cost
from spark_jobs.source import WarehouseReader

Frames = dict[str, DataFrame]

CURRENCY = "USD"
MICROSECONDS_A_DAY = 86_400_000_000
COUNTS = ("assets", "approved", "archived_never_approved", "archived_at_first_sight", "drafts", "assets_with_cost")


def read(reader: WarehouseReader) -> Frames:
    """Return the assets created in the months, their status history, their costs, unlinked costs, and models."""
    return {
        "assets": reader.within(
            "core.content_assets",
            "created_at",
            *("asset_id", "type", "model", "status", "approved_at", "deleted_at"),
        ),
        "statuses": reader.query("statuses"),
        "costs": reader.query("costs"),
        "models": reader.query("models"),
        "unlinked": reader.query("unlinked"),
    }


def transform(frames: Frames, span: Span) -> DataFrame:
    """Return the number of assets by status, and their costs."""
    assets = frames["assets"].where(F.col("deleted_at").isNull())
    assets = assets.withColumn("month_start_date", month_of(day_of(F.col("created_at"), span.zone)))
    assets = assets.where(in_ranges(F.col("month_start_date"), span.ranges))
    for name, key in (("statuses", "asset_id"), ("costs", "asset_id"), ("models", "model")):
        assets = assets.join(frames[name], key, "left")
    assets = assets.withColumn("approved_first", F.coalesce("approved_at", "seen_approved_at"))
    is_approved = F.col("approved_first").isNotNull() | F.coalesce("was_approved", F.lit(False))
    is_archived = ~is_approved & (F.col("status") == "archived")
    is_first_sight = is_archived & (F.coalesce("first_status", F.col("status")) == "archived")
    assets = assets.withColumns({
        "is_approved": is_approved,
        "is_rejected": is_archived & ~is_first_sight,
        "is_archived_at_first_sight": is_first_sight,
        "is_draft": ~is_approved & ~is_archived,
    })  # fmt: skip
    rows = assets.groupBy(
        "month_start_date", F.coalesce("label", F.lit(UNKNOWN)).alias("model_label"), F.col("type").alias("asset_type")
    ).agg(*_sums())
    return _select(rows.unionByName(_unlinked(frames["unlinked"]), allowMissingColumns=True).fillna(0, list(COUNTS)))


def _unlinked(costs: DataFrame) -> DataFrame:
    """Return the cost of prompts without an asset, in rows of an unknown asset type."""
    return costs.select(
        "month_start_date",
        F.coalesce("model_label", F.lit(UNKNOWN)).alias("model_label"),
        F.lit(UNKNOWN).alias("asset_type"),
        "unlinked_cost",
    )


def _sums() -> list[Column]:
    days = (F.unix_micros("approved_first") - F.unix_micros("created_at")) / F.lit(MICROSECONDS_A_DAY)
    return [
        F.count("*").alias("assets"),
        F.count_if("is_approved").alias("approved"),
        F.count_if("is_rejected").alias("archived_never_approved"),
        F.count_if("is_archived_at_first_sight").alias("archived_at_first_sight"),
        F.count_if("is_draft").alias("drafts"),
        F.count("cost").alias("assets_with_cost"),
        F.sum("cost").alias("linked_cost"),
        F.percentile(days, 0.5).cast("decimal(10,2)").alias("median_days_to_approval"),
    ]


def _select(rows: DataFrame) -> DataFrame:
    approved, linked_cost = F.col("approved"), _cost("linked_cost")
    return rows.select(
        "month_start_date",
        "model_label",
        "asset_type",
        F.lit(CURRENCY).alias("currency_code"),
        "assets",
        "approved",
        "archived_never_approved",
        "archived_at_first_sight",
        "drafts",
        ratio(approved, approved + F.col("archived_never_approved")).alias("approval_rate"),
        "assets_with_cost",
        linked_cost.alias("linked_cost"),
        unit_cost(linked_cost, F.col("assets_with_cost")).alias("cost_per_asset"),
        unit_cost(linked_cost, approved).alias("cost_per_approved_asset"),
        "median_days_to_approval",
        _cost("unlinked_cost").alias("unlinked_cost"),
    )


def _cost(name: str) -> Column:
    return cost(F.coalesce(name, F.lit(0)))
