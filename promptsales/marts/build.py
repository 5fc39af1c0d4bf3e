"""Build marts in parallel in one Spark session; read each from one snapshot, check it, and publish it when it is ready.

Spark fills the staging tables of all due marts whose inputs are built, one thread per mart. This thread checks and
publishes them one at a time, so a slow mart delays only the marts built from it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from promptsales.errors import PipelineError, TerminalError, TransientError, driver_errors
from promptsales.marts.filling import Filled, fill, progress
from promptsales.marts.jobs import SparkJobs
from promptsales.marts.locks import hold, join_builders, leave_builders, release
from promptsales.marts.plan import BuildRequest, Plan, plan
from promptsales.marts.publish import Built, check, clear, count_staged, publish
from promptsales.settings import Settings
from promptsales.specs.mart import Mart, tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# seconds between two polls of Spark, and between two progress reports of a slow mart
POLL_S = 1
REPORT_S = 10
Report = Callable[[str, str], None]
Wait = Callable[[str], None]


def find_due(
    names: Iterable[str], warehouse: psycopg.Connection, settings: Settings, request: BuildRequest
) -> tuple[list[str], dict[str, Plan]]:
    """Return the marts to build, each after its inputs, and the plans of the marts that are not due."""
    due: list[str] = []
    skipped: dict[str, Plan] = {}
    for name, mart in _in_build_order(names).items():
        try:
            planned = _plan(mart, warehouse, settings, request)
        except TerminalError:
            # the build plans it again and reports the error; the other marts are built meanwhile
            due.append(name)
            continue
        if planned.is_due or (set(mart.upstream) & set(due) and not planned.is_blocked):
            due.append(name)
        else:
            skipped[name] = planned
    return due, skipped


def build(
    names: Iterable[str],
    warehouse: psycopg.Connection,
    settings: Settings,
    request: BuildRequest,
    jobs: SparkJobs,
    spark: "SparkSession | None" = None,
    report: Report = lambda mart, step: None,
    skip: Report = lambda mart, reason: None,
    wait: Wait | None = None,
) -> list[Built]:
    """Build the named marts that are due, and return what was published; Spark starts only when a mart is due.

    Args:
        names: marts.
        warehouse: a connection as the loader; switched to autocommit.
        settings: reporting zone, provisional days, and Spark's master, memory and partitions.
        request: who asks, as of when, and for which window.
        jobs: the Spark application, which is the module ``spark_jobs.jobs``.
        spark: a session to use; by default a session is started, and stopped at the end.
        report: called with a mart and its current step or progress.
        skip: called with a mart that is not built and the reason.
        wait: called once a second with the holder of a lock until the lock is free; without it a locked mart fails.

    Raises:
        TransientError: when another run is building a mart, or a connection was lost.
        TerminalError: when a mart could not be planned or built. In both cases all other marts are built, except those
            built from one that failed.
    """
    warehouse.autocommit = True
    chosen = _in_build_order(names)
    with ExitStack() as resources, _registered_as_builder(warehouse, wait):
        run = _MartsBuild(warehouse, settings, request, jobs, resources, report, skip, wait, spark, pending={**chosen})
        run.build_all()
        if not warehouse.broken:
            _delete_old_touches(warehouse)
    _raise(list(dict.fromkeys(run.errors[name] for name in chosen if name in run.errors)))
    return [run.built[name] for name in chosen if name in run.built]


@dataclass(frozen=True)
class _Filling:
    """A mart whose staging table Spark is filling."""

    mart: Mart
    plan: Plan
    started_at: datetime


@dataclass
class _MartsBuild:
    """The state of one build: marts that are pending, being filled, built, or failed."""

    warehouse: psycopg.Connection
    settings: Settings
    request: BuildRequest
    jobs: SparkJobs
    resources: ExitStack
    report: Report
    skip: Report
    wait: Wait | None
    spark: "SparkSession | None"
    pending: dict[str, Mart]
    filling: dict[Future[Filled], _Filling] = field(default_factory=dict)
    built: dict[str, Built] = field(default_factory=dict)
    errors: dict[str, PipelineError] = field(default_factory=dict)
    reported_at: float = field(default_factory=time.monotonic)

    def build_all(self) -> None:
        """Start each mart once its inputs are built, and publish each once it is filled, until none is pending."""
        with ThreadPoolExecutor(max(1, len(self.pending)), "mart") as pool:
            try:
                while self.pending or self.filling:
                    self._start_ready(pool)
                    self._import_checker()
                    self._publish_filled()
            except BaseException:
                # otherwise leaving the pool waits for jobs whose result nobody needs
                if self.spark:
                    self.spark.sparkContext.cancelAllJobs()
                raise

    def _start_ready(self, pool: ThreadPoolExecutor) -> None:
        unfinished = {*self.pending, *(filling.mart.mart for filling in self.filling.values())}
        for name, mart in list(self.pending.items()):
            if not unfinished & set(mart.upstream):
                with self._record_error(name):
                    if not self._start(mart, pool):
                        continue
                self.pending.pop(name)
                if name not in {filling.mart.mart for filling in self.filling.values()}:
                    unfinished.discard(name)

    def _start(self, mart: Mart, pool: ThreadPoolExecutor) -> bool:
        """Submit a mart to Spark if it is due; return False while another run builds it."""
        name = mart.mart
        if failed := [upstream for upstream in mart.upstream if upstream in self.errors]:
            self.skip(name, f"it is built from {', '.join(failed)}, which failed")
            raise self.errors[failed[0]]
        if holder := hold(self.warehouse, name, self.request.triggered_by):
            if self.wait is None:
                raise TransientError(f"{holder}; run this again when it has finished")
            self.wait(holder)
            return False
        planned = _plan(mart, self.warehouse, self.settings, self.request)
        if not planned.is_due:
            self.skip(name, planned.reason)
            release(self.warehouse, name)
            return True
        self.spark = self.spark or self._start_spark(name)
        self.report(name, "Spark")
        clear(mart, self.warehouse)
        future = pool.submit(fill, mart, self.warehouse, self.settings, planned.span, self.jobs, self.spark)
        self.filling[future] = _Filling(mart, planned, datetime.now(UTC))
        return True

    def _start_spark(self, name: str) -> "SparkSession":
        self.report(name, "start Spark")
        settings = self.settings
        session = self.jobs.session(
            settings.spark_master, settings.spark_memory, settings.spark_partitions, settings.spark_compiler_tier
        )
        return self.resources.enter_context(session)

    def _import_checker(self) -> None:
        """Import Great Expectations, which takes seconds, while Spark fills the first marts and nobody waits for it."""
        if self.filling:
            import promptsales.quality.run  # noqa: F401

    def _publish_filled(self) -> None:
        if not self.filling:
            if self.pending and self.wait:
                time.sleep(POLL_S)
            return
        for future in futures.wait(self.filling, POLL_S, futures.FIRST_COMPLETED).done:
            filling = self.filling.pop(future)
            with self._record_error(filling.mart.mart):
                self.built[filling.mart.mart] = self._publish(filling, future.result())
                release(self.warehouse, filling.mart.mart)
        if time.monotonic() - self.reported_at > REPORT_S:
            self.reported_at = time.monotonic()
            for filling in self.filling.values():
                self._report_progress(filling)

    def _publish(self, filling: _Filling, filled: Filled) -> Built:
        mart, name, planned = filling.mart, filling.mart.mart, filling.plan
        with driver_errors(f"build {name}"):
            rows = count_staged(mart, self.warehouse)
            self.report(name, f"{rows:,} rows from Spark in {_seconds(filling)} s")
            self.report(name, "check")
            verdicts = check(mart, self.warehouse, self.request.as_of, filled.totals)
            self.report(name, "publish")
            complete_through, started_at = filled.complete_through, filling.started_at
            built = publish(mart, self.warehouse, planned, self.request, verdicts, complete_through, started_at)
        self.report(name, f"published after {_seconds(filling)} s")
        return built

    def _report_progress(self, filling: _Filling) -> None:
        done, tasks = progress(self.spark, filling.mart.mart) if self.spark else (0, 0)
        self.report(filling.mart.mart, f"Spark has done {done} of {tasks} tasks, {_seconds(filling)} s so far")

    @contextmanager
    def _record_error(self, name: str) -> Iterator[None]:
        """Record any error of a mart, so that the other marts are still built."""
        try:
            yield
            return
        except PipelineError as error:
            known = error
        except Exception as error:
            # the error's own text may quote a row
            known = TerminalError(
                f"build {name}: {type(error).__name__} in its job or its checks; the mart is unchanged: fix "
                f"spark_jobs/{name}.py or the mart's expectations.yml, then build again"
            )
        if known not in self.errors.values():
            self.report(name, str(known))
        self.errors[name] = known
        release(self.warehouse, name)


def _seconds(filling: _Filling) -> int:
    return round((datetime.now(UTC) - filling.started_at).total_seconds())


def _plan(mart: Mart, warehouse: psycopg.Connection, settings: Settings, request: BuildRequest) -> Plan:
    with driver_errors(f"plan {mart.mart}"):
        return plan(mart, warehouse, settings, request)


def _raise(errors: list[PipelineError]) -> None:
    if len(errors) > 1:
        kind = TransientError if any(isinstance(error, TransientError) for error in errors) else TerminalError
        raise kind("; ".join(map(str, errors)))
    if errors:
        raise errors[0]


def _in_build_order(names: Iterable[str]) -> dict[str, Mart]:
    """Return the named marts, each after the marts it is built from."""
    chosen = set(names)
    return {name: mart for name, mart in tables().items() if name in chosen}


@contextmanager
def _registered_as_builder(warehouse: psycopg.Connection, wait: Wait | None) -> Iterator[None]:
    """Hold the lock that keeps erasures of persons out while marts are built."""
    while message := join_builders(warehouse):
        if wait is None:
            raise TransientError(f"{message}; run this again when it has finished")
        wait(message)
        time.sleep(POLL_S)
    try:
        yield
    finally:
        leave_builders(warehouse)


def _delete_old_touches(warehouse: psycopg.Connection) -> None:
    """Delete the touched days that every mart has followed for at least a week."""
    warehouse.execute(
        "delete from ops.touched where touched_at < (select min(touched_through) - interval '7 days' from ops.mart "
        "having count(*) >= %s)",
        [len(tables())],
    )
