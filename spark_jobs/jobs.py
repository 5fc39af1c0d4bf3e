"""The jobs by the names of their marts; callers pass this module to ``promptsales.marts.build``."""

import importlib
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from promptsales.marts.span import Span
from spark_jobs.session import session
from spark_jobs.source import WarehouseReader

__all__ = ["run_job", "session"]


def run_job(
    mart: str,
    spark: SparkSession,
    url: str,
    properties: Mapping[str, str],
    snapshot: str,
    span: Span,
    partitions: int,
    folder: Path,
) -> DataFrame:
    """Return the mart's rows for the days of a span, computed from one snapshot of the warehouse."""
    job = importlib.import_module(f"spark_jobs.{mart}")
    rows: DataFrame = job.transform(
        job.read(WarehouseReader(spark, url, properties, snapshot, span, partitions, folder)), span
    )
    return rows
