"""What a build needs of the Spark application. Whoever starts a build hands it in, so the library imports no job."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from promptsales.marts.span import Span

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SparkJobs(Protocol):
    """The module ``spark_jobs.jobs``."""

    def session(self, master: str, memory: str, partitions: int) -> "AbstractContextManager[SparkSession]":
        """Start a session, and stop it at the end."""

    def transformed(
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
        """Return what the mart's job makes of the days of a span, read from one snapshot of the warehouse."""
