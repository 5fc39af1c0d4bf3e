"""Have Spark fill the staging table of a mart, with all reads from one snapshot of the warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.rows import scalar_row

from promptsales.connections import open_beside, start_options
from promptsales.errors import PipelineError, TerminalError, TransientError, driver_errors, is_transient_state
from promptsales.jdbc import security_properties
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
    """A filled staging table: how far the mart's inputs are complete, and the control totals of its days."""

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
    """Run the mart's job over the span, and write its rows to the mart's staging table, which must be empty.

    Only the address of the connection is used, so threads may share it.

    Raises:
        TransientError: when a connection is lost.
        TerminalError: when Spark fails; the message names the mart and quotes no row.
    """
    spark.sparkContext.setJobGroup(mart.mart, mart.mart)
    # a fair-scheduler pool of its own: within one pool a mart would wait for the marts before it
    spark.sparkContext.setLocalProperty("spark.scheduler.pool", mart.mart)
    with _spark_errors(mart), driver_errors(f"build {mart.mart}"), snapshot_of(settings, warehouse) as (name, reader):
        frame = _run_job(mart, warehouse, settings, span, jobs, spark, name)
        _write(frame, mart, url_of(warehouse), properties_of(settings, warehouse))
        return Filled(complete_through(mart, reader), expected_totals(mart, reader, span))


def progress(spark: "SparkSession", mart: str) -> tuple[int, int]:
    """Return the number of completed tasks of the mart's running jobs, and the number of all their tasks."""
    tracker = spark.sparkContext.statusTracker()
    running = set(tracker.getActiveJobsIds())
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(mart) if job in running]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
    return sum(stage.numCompletedTasks for stage in stages if stage), sum(stage.numTasks for stage in stages if stage)


@contextmanager
def _spark_errors(mart: Mart) -> Iterator[None]:
    """Turn Spark's errors into ours; only their types are kept, because their texts may quote a row."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise _to_pipeline_error(f"build {mart.mart}", error) from None


@contextmanager
def snapshot_of(settings: Settings, warehouse: psycopg.Connection) -> Iterator[tuple[str, psycopg.Connection]]:
    """Export a snapshot of the warehouse and hold it; yield its name and the connection that holds it."""
    with open_beside(settings, "warehouse", warehouse, application_name=READER) as reader:
        reader.autocommit, reader.isolation_level = False, IsolationLevel.REPEATABLE_READ
        with reader.cursor(row_factory=scalar_row) as cursor:
            (name,) = cursor.execute("select pg_export_snapshot()").fetchall()
        yield str(name), reader


def _run_job(
    mart: Mart,
    warehouse: psycopg.Connection,
    settings: Settings,
    span: Span,
    jobs: SparkJobs,
    spark: "SparkSession",
    snapshot: str,
) -> "DataFrame":
    url, properties = url_of(warehouse), properties_of(settings, warehouse)
    rows = jobs.run_job(mart.mart, spark, url, properties, snapshot, span, settings.spark_partitions, mart.folder)
    if tuple(rows.columns) != mart.column_names:
        raise TerminalError(
            f"mart {mart.mart}: its job returns the columns {rows.columns}, mart.yml has {mart.column_names}; change "
            f"spark_jobs/{mart.mart}.py or mart.yml"
        )
    return rows


def _write(frame: "DataFrame", mart: Mart, url: str, properties: dict[str, str]) -> None:
    """Insert the rows from Spark's tasks, so that they are never collected in one process."""
    properties = {
        **properties,
        # Spark sends uuids and enums as text; PostgreSQL then infers the type from the column
        "stringtype": "unspecified",
        "reWriteBatchedInserts": "true",
        "batchsize": "10000",
    }
    table = sql.Identifier("staging", mart.staging).as_string()
    frame.write.jdbc(url, table, mode="append", properties=properties)


def url_of(warehouse: psycopg.Connection) -> str:
    """Return the JDBC URL of an open connection."""
    info = warehouse.info
    return f"jdbc:postgresql://{info.host}:{info.port}/{info.dbname}"


def properties_of(settings: Settings, warehouse: psycopg.Connection) -> dict[str, str]:
    """Return the JDBC properties that give Spark's sessions the login, protection and settings of our connections.

    Raises:
        ConfigError: when an option that protects our connection has no counterpart.
    """
    return {
        "user": warehouse.info.user,
        "password": warehouse.info.password,
        "options": start_options(settings, "warehouse"),
        "driver": "org.postgresql.Driver",
        "ApplicationName": READER,
        **security_properties("warehouse", warehouse.info.get_parameters()),
    }


def _to_pipeline_error(step: str, error: Exception) -> PipelineError:
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    kinds, states = _causes(cause) if cause is not None else ([type(error).__name__], [])
    # PostgreSQL's driver also reports a lost connection with a SQLSTATE, of class 08
    if any(map(is_transient_state, states)) or (not states and {"SocketException", "IOException"} & set(kinds)):
        return TransientError(f"{step}: spark lost its connection to the warehouse: {' by '.join(kinds)}; build again")
    return TerminalError(
        f"{step}: spark failed: {' by '.join(kinds)}; the mart is unchanged: fix its input or job, then build again"
    )


def _causes(cause: Any) -> tuple[list[str], list[str]]:
    """Return the class names of a Java exception and its causes, and the SQLSTATEs among them."""
    kinds: list[str] = []
    states: list[str] = []
    while cause is not None:
        kinds.append(cause.getClass().getSimpleName())
        if kinds[-1] in ("PSQLException", "BatchUpdateException"):
            states.append(cause.getSQLState())
            kinds[-1] += f" (sqlstate {states[-1]})"
        elif "SparkThrowable" in {interface.getSimpleName() for interface in cause.getClass().getInterfaces()}:
            kinds[-1] += f" ({cause.getCondition()})"
        cause = cause.getCause()
    return kinds, [state for state in states if state]
