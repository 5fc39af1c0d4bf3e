"""Build marts: one Spark session for all that are due; each is read from one snapshot, checked, published by itself."""

import importlib
import io
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import scalar_row

from promptsales.connections import beside, start_options
from promptsales.errors import PipelineError, TerminalError, TransientError, driver_errors, is_transient_state
from promptsales.marts.plan import SQL, Asked, Plan, complete_through, plan
from promptsales.marts.publish import Built, check, publish, stage
from promptsales.marts.spec import Mart, tables
from promptsales.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.source import Address

# names the advisory lock that lets one run build at a time
LOCK = 7_406_001
Tell = Callable[[str, str], None]
Wait = Callable[[str], None]

log = logging.getLogger(__name__)


def due(
    names: Iterable[str], warehouse: psycopg.Connection, settings: Settings, asked: Asked
) -> tuple[list[str], dict[str, Plan]]:
    """Which marts are to be built, and the plans of the others; a mart follows those it is made of."""
    others: dict[str, Plan] = {}
    found: list[str] = []
    for name, mart in _chosen(names).items():
        try:
            one = _planned(mart, warehouse, settings, asked)
        except TerminalError:
            # the build plans it again and reports why; the others do not wait for it
            found.append(name)
            continue
        if one.is_due or (set(mart.upstream) & set(found) and not one.is_blocked):
            found.append(name)
        else:
            others[name] = one
    return found, others


def build(
    names: Iterable[str],
    warehouse: psycopg.Connection,
    settings: Settings,
    asked: Asked,
    spark: "SparkSession | None" = None,
    tell: Tell = lambda mart, what: None,
    skip: Tell = lambda mart, why: None,
    wait: Wait | None = None,
) -> list[Built]:
    """Build what is due of the named marts, in order; Spark starts only when something is.

    Args:
        names: marts.
        warehouse: as its loader; kept in autocommit.
        settings: zone, provisional days, and how Spark runs.
        asked: by whom, as of when, which window.
        spark: a session to use; else one is started and stopped.
        tell: told of each mart what is being done.
        skip: told of each mart why nothing is.
        wait: told who builds, once a second until that build ends; without it a build that meets another one fails.

    Raises:
        TransientError: when another build runs, or a connection is lost.
        TerminalError: when marts failed to be planned or built; all but those built from them are built all the same.
    """
    warehouse.autocommit = True
    results: list[Built] = []
    errors: dict[str, PipelineError] = {}
    with ExitStack() as opened, _alone(warehouse, wait):
        for name, mart in _chosen(names).items():
            if failed := [upstream for upstream in mart.upstream if upstream in errors]:
                errors[name] = errors[failed[0]]
                skip(name, f"it is built from {', '.join(failed)}, which failed")
                continue
            try:
                one = _planned(mart, warehouse, settings, asked)
                if not one.is_due:
                    skip(name, one.reason)
                    continue
                spark = spark or opened.enter_context(_session(settings, name, tell))
                results.append(_build(mart, warehouse, settings, asked, one, spark, tell))
            except TransientError:
                raise
            except PipelineError as error:
                tell(name, str(error))
                errors[name] = error
        _forget(warehouse)
    _raise(list(dict.fromkeys(errors.values())))
    return results


def _planned(mart: Mart, warehouse: psycopg.Connection, settings: Settings, asked: Asked) -> Plan:
    with driver_errors(f"plan {mart.mart}"):
        return plan(mart, warehouse, settings, asked)


def _raise(errors: list[PipelineError]) -> None:
    if errors:
        raise errors[0] if len(errors) == 1 else TerminalError("; ".join(map(str, errors)))


def _chosen(names: Iterable[str]) -> dict[str, Mart]:
    """Some marts, each after those it is made of."""
    wanted = set(names)
    return {name: mart for name, mart in tables().items() if name in wanted}


@contextmanager
def _alone(warehouse: psycopg.Connection, wait: Wait | None) -> Iterator[None]:
    """Two builds would share staging."""
    with driver_errors("build marts"), warehouse.cursor(row_factory=scalar_row) as cursor:
        while cursor.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone() is not True:
            holder = cursor.execute((SQL / "lock_holder.sql").read_bytes(), {"lock": LOCK}).fetchone()
            message = f"another run is building marts ({holder or 'it just ended'})"
            if wait is None:
                raise TransientError(f"{message}; run this again when it has finished")
            wait(message)
            time.sleep(1)
        try:
            yield
        finally:
            if not warehouse.broken:
                warehouse.execute("select pg_advisory_unlock(%s)", [LOCK])


@contextmanager
def _session(settings: Settings, mart: str, tell: Tell) -> Iterator["SparkSession"]:
    from spark_jobs.session import session

    tell(mart, "start Spark")
    with session(settings.spark_master, settings.spark_memory, settings.spark_partitions) as spark:
        yield spark


def _build(
    mart: Mart,
    warehouse: psycopg.Connection,
    settings: Settings,
    asked: Asked,
    one: Plan,
    spark: "SparkSession",
    tell: Tell,
) -> Built:
    started_at = datetime.now(UTC)
    tell(mart.mart, "Spark")
    with driver_errors(f"build {mart.mart}"):
        with snapshot_of(settings, warehouse) as (snapshot, reader):
            through = complete_through(mart, reader)
            stage(mart, warehouse, _csv(_transformed(mart, warehouse, settings, one, spark, snapshot)))
        tell(mart.mart, "check")
        verdicts = check(mart, warehouse, asked.as_of)
        tell(mart.mart, "publish")
        return publish(mart, warehouse, one, asked, verdicts, through, started_at)


@contextmanager
def snapshot_of(settings: Settings, warehouse: psycopg.Connection) -> Iterator[tuple[str, psycopg.Connection]]:
    """One picture of the warehouse for every read of a mart, held until they are done."""
    with beside(settings, "warehouse", warehouse) as reader:
        reader.autocommit, reader.isolation_level = False, IsolationLevel.REPEATABLE_READ
        with reader.cursor(row_factory=scalar_row) as cursor:
            (name,) = cursor.execute("select pg_export_snapshot()").fetchall()
        yield str(name), reader


def _transformed(
    mart: Mart, warehouse: psycopg.Connection, settings: Settings, one: Plan, spark: "SparkSession", snapshot: str
) -> "DataFrame":
    from spark_jobs.source import Source

    address = address_of(settings, warehouse)
    job = importlib.import_module(f"spark_jobs.{mart.mart}")
    source = Source(spark, address, snapshot, one.span, settings.spark_partitions, mart.folder)
    found: DataFrame = job.transform(job.read(source), one.span)
    if tuple(found.columns) != mart.column_names:
        raise TerminalError(f"mart {mart.mart}: its job makes {found.columns}, mart.yml says {mart.column_names}")
    return found


def address_of(settings: Settings, warehouse: psycopg.Connection) -> "Address":
    """Return where Spark reads: the warehouse of a connection, in sessions like all of ours."""
    from spark_jobs.source import Address

    info = warehouse.info
    url = f"jdbc:postgresql://{info.host}:{info.port}/{info.dbname}"
    return Address(url, info.user, info.password, start_options(settings, "warehouse"))


def _csv(found: "DataFrame") -> Iterator[bytes]:
    """What Spark made, as CSV that COPY reads: text in quotes, nothing for null."""
    from py4j.protocol import Py4JJavaError
    from pyarrow import csv

    try:
        table = found.toArrow()
    except Py4JJavaError as error:
        raise _spark_error(error) from None
    for batch in table.to_batches(max_chunksize=10_000):
        out = io.BytesIO()
        csv.write_csv(batch, out, csv.WriteOptions(include_header=False))
        yield out.getvalue()


def _spark_error(error: Exception) -> PipelineError:
    """Only the kind of Spark's error: its text may quote a row."""
    cause = getattr(error, "java_exception", None)
    kinds, states = [], []
    while cause is not None:
        kinds.append(cause.getClass().getSimpleName())
        if kinds[-1] == "PSQLException":
            states.append(cause.getSQLState())
            kinds[-1] += f" (sqlstate {states[-1]})"
        cause = cause.getCause()
    # PostgreSQL's driver speaks of a lost connection in its own class 08 as well
    if any(map(is_transient_state, states)) or (not states and {"SocketException", "IOException"} & set(kinds)):
        return TransientError(f"spark could not read the warehouse: {' by '.join(kinds)}; it is tried again")
    return TerminalError(f"spark failed: {' by '.join(kinds)}")


def _forget(warehouse: psycopg.Connection) -> None:
    """What every mart has followed for a week is of no use any more."""
    warehouse.execute(
        "delete from ops.touched where touched_at < (select min(touched_through) - interval '7 days' from ops.mart "
        "having count(*) >= %s)",
        [len(tables())],
    )
