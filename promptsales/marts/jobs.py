"""The interface of the Spark application. The caller of a build passes it in, so the library imports no job."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from promptsales.marts.span import Span

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SparkJobs(Protocol):
    """The module ``spark_jobs.jobs``."""

    def session(
        self, master: str, memory: str, partitions: int, tier: int = 1
    ) -> "AbstractContextManager[SparkSession]":
        """Start a session; stop it at the end of the block."""

    def run_job(
        self,
        mart: str,
        spark: "SparkSession",
        url: str,
        properties: Mapping[str, str],
        snapshot: str,
        span: Span,
        partitions: int,
        folder: Path,
    ) -> "DataFrame":
        """Return the mart's rows for the days of a span, computed from one snapshot of the warehouse."""
