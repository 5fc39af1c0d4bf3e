"""The jobs by the names of their marts: what ``promptsales.marts.build`` is handed."""

import importlib
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from promptsales.marts.span import Span
from spark_jobs.session import session
from spark_jobs.source import Source

__all__ = ["session", "transformed"]


def transformed(
    mart: str,
    spark: SparkSession,
    url: str,
    properties: Mapping[str, str],
    snapshot: str,
    span: Span,
    partitions: int,
    folder: Path,
) -> DataFrame:
    """Return what the mart's job makes of the days of a span, read from one snapshot of the warehouse."""
    job = importlib.import_module(f"spark_jobs.{mart}")
    rows: DataFrame = job.transform(job.read(Source(spark, url, properties, snapshot, span, partitions, folder)), span)
    return rows
