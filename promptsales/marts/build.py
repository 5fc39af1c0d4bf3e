"""Build marts side by side in one Spark session; each is read from one snapshot, checked, published when it is ready.

Spark fills the staging tables of all due marts whose inputs are built, in threads. Checks and publications follow one
by one here, so a mart that takes long delays only the marts built from it.
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
from promptsales.marts.plan import Asked, Plan, plan
from promptsales.marts.publish import Built, check, clear, count_staged, publish
from promptsales.settings import Settings
from promptsales.specs.mart import Mart, tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# seconds between two looks at what Spark does, and between two lines about a mart that takes long
LOOK_S = 1
TELL_S = 10
Tell = Callable[[str, str], None]
Wait = Callable[[str], None]


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
    jobs: SparkJobs,
    spark: "SparkSession | None" = None,
    tell: Tell = lambda mart, what: None,
    skip: Tell = lambda mart, why: None,
    wait: Wait | None = None,
) -> list[Built]:
    """Build what is due of the named marts; Spark starts only when something is.

    Args:
        names: marts.
        warehouse: as its loader; kept in autocommit.
        settings: zone, provisional days, and how Spark runs.
        asked: by whom, as of when, which window.
        jobs: the Spark application, which is the module ``spark_jobs.jobs``.
        spark: a session to use; else one is started and stopped.
        tell: told of each mart what is being done, and how far it is.
        skip: told of each mart why nothing is.
        wait: told who builds a mart, once a second until that build ends; without it such a mart fails.

    Raises:
        TransientError: when a mart is being built by another run, or a connection was lost.
        TerminalError: when marts failed to be planned or built. In both cases the others are built, except those that
            are built from one that failed.
    """
    warehouse.autocommit = True
    with ExitStack() as opened, _among_builders(warehouse, wait):
        run = _Run(warehouse, settings, asked, jobs, opened, tell, skip, wait, spark, left=_chosen(names))
        run.build_all()
        if not warehouse.broken:
            _forget(warehouse)
    chosen = _chosen(names)
    _raise(list(dict.fromkeys(run.errors[name] for name in chosen if name in run.errors)))
    return [run.built[name] for name in chosen if name in run.built]


@dataclass(frozen=True)
class _Filling:
    """A mart that Spark writes to its staging table."""

    mart: Mart
    plan: Plan
    started_at: datetime


@dataclass
class _Run:
    """The marts of one build: those left, those that Spark is filling, and what came of the others."""

    warehouse: psycopg.Connection
    settings: Settings
    asked: Asked
    jobs: SparkJobs
    opened: ExitStack
    tell: Tell
    skip: Tell
    wait: Wait | None
    spark: "SparkSession | None"
    left: dict[str, Mart]
    filling: dict[Future[Filled], _Filling] = field(default_factory=dict)
    built: dict[str, Built] = field(default_factory=dict)
    errors: dict[str, PipelineError] = field(default_factory=dict)
    told_at: float = field(default_factory=time.monotonic)

    def build_all(self) -> None:
        """Start each mart when its inputs are built, publish each when it is filled, until none is left."""
        with ThreadPoolExecutor(max(1, len(self.left)), "mart") as pool:
            try:
                while self.left or self.filling:
                    self._start_ready(pool)
                    self._publish_filled()
            except BaseException:
                # nobody waits for what Spark still does
                if self.spark:
                    self.spark.sparkContext.cancelAllJobs()
                raise

    def _start_ready(self, pool: ThreadPoolExecutor) -> None:
        unfinished = {*self.left, *(one.mart.mart for one in self.filling.values())}
        for name, mart in list(self.left.items()):
            if not unfinished & set(mart.upstream):
                with self._failing(name):
                    if not self._start(mart, pool):
                        continue
                self.left.pop(name)
                if name not in {one.mart.mart for one in self.filling.values()}:
                    unfinished.discard(name)

    def _start(self, mart: Mart, pool: ThreadPoolExecutor) -> bool:
        """Hand a mart to Spark if it is due; False while another run builds it."""
        name = mart.mart
        if failed := [upstream for upstream in mart.upstream if upstream in self.errors]:
            self.skip(name, f"it is built from {', '.join(failed)}, which failed")
            raise self.errors[failed[0]]
        if holder := hold(self.warehouse, name):
            if self.wait is None:
                raise TransientError(f"{holder}; run this again when it has finished")
            self.wait(holder)
            return False
        planned = _planned(mart, self.warehouse, self.settings, self.asked)
        if not planned.is_due:
            self.skip(name, planned.reason)
            release(self.warehouse, name)
            return True
        self.spark = self.spark or self.opened.enter_context(_session(self.jobs, self.settings, name, self.tell))
        self.tell(name, "Spark")
        clear(mart, self.warehouse)
        work = pool.submit(fill, mart, self.warehouse, self.settings, planned.span, self.jobs, self.spark)
        self.filling[work] = _Filling(mart, planned, datetime.now(UTC))
        return True

    def _publish_filled(self) -> None:
        if not self.filling:
            if self.left and self.wait:
                time.sleep(LOOK_S)
            return
        for work in futures.wait(self.filling, LOOK_S, futures.FIRST_COMPLETED).done:
            one = self.filling.pop(work)
            with self._failing(one.mart.mart):
                self.built[one.mart.mart] = self._publish(one, work.result())
                release(self.warehouse, one.mart.mart)
        if time.monotonic() - self.told_at > TELL_S:
            self.told_at = time.monotonic()
            for one in self.filling.values():
                self._tell_progress(one)

    def _publish(self, one: _Filling, filled: Filled) -> Built:
        mart, name = one.mart, one.mart.mart
        with driver_errors(f"build {name}"):
            rows = count_staged(mart, self.warehouse)
            self.tell(name, f"{rows:,} rows from Spark in {_seconds(one)} s")
            self.tell(name, "check")
            verdicts = check(mart, self.warehouse, self.asked.as_of, filled.totals)
            self.tell(name, "publish")
            found = publish(
                mart, self.warehouse, one.plan, self.asked, verdicts, filled.complete_through, one.started_at
            )
        self.tell(name, f"published after {_seconds(one)} s")
        return found

    def _tell_progress(self, one: _Filling) -> None:
        done, tasks = progress(self.spark, one.mart.mart) if self.spark else (0, 0)
        self.tell(one.mart.mart, f"Spark has done {done} of {tasks} tasks, {_seconds(one)} s so far")

    @contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """Keep the error of a mart, whatever it is; the others go on."""
        try:
            yield
            return
        except PipelineError as error:
            known = error
        except Exception as error:
            # its text may quote a row
            known = TerminalError(
                f"build {name}: {type(error).__name__} in its job or its checks; the mart stays as it was: fix "
                f"spark_jobs/{name}.py or the mart's expectations.yml, then build again"
            )
        if known not in self.errors.values():
            self.tell(name, str(known))
        self.errors[name] = known
        release(self.warehouse, name)


def _seconds(one: _Filling) -> int:
    return round((datetime.now(UTC) - one.started_at).total_seconds())


def _planned(mart: Mart, warehouse: psycopg.Connection, settings: Settings, asked: Asked) -> Plan:
    with driver_errors(f"plan {mart.mart}"):
        return plan(mart, warehouse, settings, asked)


def _raise(errors: list[PipelineError]) -> None:
    if len(errors) > 1:
        kind = TransientError if any(isinstance(one, TransientError) for one in errors) else TerminalError
        raise kind("; ".join(map(str, errors)))
    if errors:
        raise errors[0]


def _chosen(names: Iterable[str]) -> dict[str, Mart]:
    """Some marts, each after those it is made of."""
    wanted = set(names)
    return {name: mart for name, mart in tables().items() if name in wanted}


@contextmanager
def _among_builders(warehouse: psycopg.Connection, wait: Wait | None) -> Iterator[None]:
    """No person is erased while marts are built."""
    while message := join_builders(warehouse):
        if wait is None:
            raise TransientError(f"{message}; run this again when it has finished")
        wait(message)
        time.sleep(LOOK_S)
    try:
        yield
    finally:
        leave_builders(warehouse)


@contextmanager
def _session(jobs: SparkJobs, settings: Settings, mart: str, tell: Tell) -> Iterator["SparkSession"]:
    tell(mart, "start Spark")
    with jobs.session(settings.spark_master, settings.spark_memory, settings.spark_partitions) as spark:
        yield spark


def _forget(warehouse: psycopg.Connection) -> None:
    """What every mart has followed for a week is of no use any more."""
    warehouse.execute(
        "delete from ops.touched where touched_at < (select min(touched_through) - interval '7 days' from ops.mart "
        "having count(*) >= %s)",
        [len(tables())],
    )
