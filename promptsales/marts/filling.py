"""Have Spark fill the staging table of a mart: all reads from one snapshot of the warehouse, each row written once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import scalar_row

from promptsales.connections import open_beside, start_options
from promptsales.errors import PipelineError, TerminalError, TransientError, driver_errors, is_transient_state
from promptsales.marts.control import Totals, expected_totals
from promptsales.marts.jobs import SparkJobs
from promptsales.marts.plan import READER, complete_through
from promptsales.marts.span import Span
from promptsales.settings import Settings
from promptsales.specs.mart import Mart

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Filled:
    """How far the inputs of a mart go that was filled, and what its days must add up to."""

    complete_through: datetime | None
    totals: Totals


def fill(
    mart: Mart,
    warehouse: psycopg.Connection,
    settings: Settings,
    span: Span,
    jobs: SparkJobs,
    spark: "SparkSession",
) -> Filled:
    """Write what the mart's job makes of the days to its staging table, which is empty.

    The connection is asked for its address only, so that threads may share it.

    Raises:
        TransientError: when a connection is lost.
        TerminalError: when Spark fails; the message names the mart and no value.
    """
    spark.sparkContext.setJobGroup(mart.mart, mart.mart)
    # with a pool of its own a mart takes turns with the others, rather than waiting until they are done
    spark.sparkContext.setLocalProperty("spark.scheduler.pool", mart.mart)
    with _named(mart), driver_errors(f"build {mart.mart}"), snapshot_of(settings, warehouse) as (snapshot, reader):
        found = _transformed(mart, warehouse, settings, span, jobs, spark, snapshot)
        _write(found, mart, url_of(warehouse), properties_of(settings, warehouse))
        return Filled(complete_through(mart, reader), expected_totals(mart, reader, span))


def progress(spark: "SparkSession", mart: str) -> tuple[int, int]:
    """Return how many tasks of the mart's running jobs are done, and how many there are."""
    tracker = spark.sparkContext.statusTracker()
    running = set(tracker.getActiveJobsIds())
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(mart) if job in running]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
    return sum(one.numCompletedTasks for one in stages if one), sum(one.numTasks for one in stages if one)


@contextmanager
def _named(mart: Mart) -> Iterator[None]:
    """Turn Spark's errors into ours; only kinds are said, as texts of errors may quote a row."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    what = f"build {mart.mart}"
    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise _spark_error(what, error) from None


@contextmanager
def snapshot_of(settings: Settings, warehouse: psycopg.Connection) -> Iterator[tuple[str, psycopg.Connection]]:
    """One picture of the warehouse for every read of a mart, held until they are done."""
    with open_beside(settings, "warehouse", warehouse, application_name=READER) as reader:
        reader.autocommit, reader.isolation_level = False, IsolationLevel.REPEATABLE_READ
        with reader.cursor(row_factory=scalar_row) as cursor:
            (name,) = cursor.execute("select pg_export_snapshot()").fetchall()
        yield str(name), reader


def _transformed(
    mart: Mart,
    warehouse: psycopg.Connection,
    settings: Settings,
    span: Span,
    jobs: SparkJobs,
    spark: "SparkSession",
    snapshot: str,
) -> "DataFrame":
    url, properties = url_of(warehouse), properties_of(settings, warehouse)
    rows = jobs.transformed(mart.mart, spark, url, properties, snapshot, span, settings.spark_partitions, mart.folder)
    if tuple(rows.columns) != mart.column_names:
        raise TerminalError(f"mart {mart.mart}: its job makes {rows.columns}, mart.yml says {mart.column_names}")
    return rows


def _write(found: "DataFrame", mart: Mart, url: str, properties: dict[str, str]) -> None:
    """Insert from where the rows are made: they never lie in one memory, however many there are."""
    properties = {
        **properties,
        # ids and codes are text to Spark
        "stringtype": "unspecified",
        "reWriteBatchedInserts": "true",
        "batchsize": "10000",
    }
    found.write.jdbc(url, f"staging.{mart.staging}", mode="append", properties=properties)


def url_of(warehouse: psycopg.Connection) -> str:
    """Return the address of an open connection as JDBC wants it."""
    info = warehouse.info
    return f"jdbc:postgresql://{info.host}:{info.port}/{info.dbname}"


def properties_of(settings: Settings, warehouse: psycopg.Connection) -> dict[str, str]:
    """Return what Spark's sessions start with: as all of ours."""
    return {
        "user": warehouse.info.user,
        "password": warehouse.info.password,
        "options": start_options(settings, "warehouse"),
        "driver": "org.postgresql.Driver",
        "ApplicationName": READER,
    }


def _spark_error(what: str, error: Exception) -> PipelineError:
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    kinds, states = _causes(cause) if cause is not None else ([type(error).__name__], [])
    # PostgreSQL's driver speaks of a lost connection in its own class 08 as well
    if any(map(is_transient_state, states)) or (not states and {"SocketException", "IOException"} & set(kinds)):
        return TransientError(f"{what}: spark lost the warehouse: {' by '.join(kinds)}; it is tried again")
    return TerminalError(
        f"{what}: spark failed: {' by '.join(kinds)}; the mart stays as it was: fix its input or job, then build again"
    )


def _causes(cause: Any) -> tuple[list[str], list[str]]:
    """Return the kinds of an error of Java's and of what caused it, and the SQLSTATEs among them."""
    kinds: list[str] = []
    states: list[str] = []
    while cause is not None:
        kinds.append(cause.getClass().getSimpleName())
        if kinds[-1] in ("PSQLException", "BatchUpdateException"):
            states.append(cause.getSQLState())
            kinds[-1] += f" (sqlstate {states[-1]})"
        elif "SparkThrowable" in {one.getSimpleName() for one in cause.getClass().getInterfaces()}:
            kinds[-1] += f" ({cause.getCondition()})"
        cause = cause.getCause()
    return kinds, [state for state in states if state]
