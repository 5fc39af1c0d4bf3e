"""What else the stack did while commits were late: work that a sampler saw, and pauses that logs tell of."""

import re
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

import psycopg

from bench.cpu import Cores

_EVERY_S = 1.0
# a share of a core from which a program counts as a cause, and what each does when it takes so much
_BUSY = 0.25
_WORK = {
    "spark": "Spark builds marts",
    "airflow-dags": "Airflow reads its DAG files",
    "airflow-scheduler": "Airflow runs tasks",
    "airflow-api": "Airflow's API answers",
}
_BUFFERS = "select buffers_written from pg_stat_checkpointer"
_AT = r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d+)"
_PAUSE = re.compile(rf"^\[{_AT}\S*\].* Pause .* ([\d.]+)ms$")
_REVOKED = re.compile(rf"^\[{_AT}\].*Revoking previously assigned partitions")
_READY = re.compile(rf"^\[{_AT}\].*Worker ready")


class Cause(NamedTuple):
    """Something that ran from one moment to another, in seconds since 1970."""

    name: str
    begins: float
    ends: float


class Sampler(threading.Thread):
    """Notes each second which programs are busy, and whether a checkpoint writes; use it as a context manager."""

    def __init__(self, state: Path, clusters: Mapping[str, psycopg.Connection]) -> None:
        super().__init__(name="sampler", daemon=True)
        self._cores, self._clusters = Cores(state), clusters
        self._written = self._read_written()
        self._done = threading.Event()
        self.causes: list[Cause] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        """Sample until the block ends."""
        begins = datetime.now(UTC).timestamp()
        while not self._done.wait(_EVERY_S):
            ends = datetime.now(UTC).timestamp()
            self.causes += [Cause(name, begins, ends) for name in (*self._busy(), *self._checkpoints())]
            begins = ends

    def _busy(self) -> list[str]:
        passed, used = self._cores.used()
        self._cores.restart()
        return [text for name, text in _WORK.items() if used.get(name, 0.0) > _BUSY * passed]

    def _checkpoints(self) -> list[str]:
        before, self._written = self._written, self._read_written()
        return [f"{name} writes a checkpoint" for name, count in self._written.items() if count != before[name]]

    def _read_written(self) -> dict[str, int]:
        return {name: server.execute(_BUFFERS).fetchone()[0] for name, server in self._clusters.items()}  # type: ignore[index]


def read_collections(name: str, lines: Iterable[str]) -> Iterator[Cause]:
    """Yield the pauses of a JVM's garbage collection from its log; a line is written when its pause ends."""
    for line in lines:
        if found := _PAUSE.match(line):
            ends = _read_time(found[1])
            yield Cause(f"{name} collects garbage", ends - float(found[2]) / 1000, ends)


def read_rebalances(lines: Iterable[str]) -> Iterator[Cause]:
    """Yield the times in which a worker had no partitions, from its log."""
    begins = None
    for line in lines:
        if found := _REVOKED.match(line):
            begins = _read_time(found[1])
        elif begins is not None and (found := _READY.match(line)):
            yield Cause("workers share the partitions anew", begins, _read_time(found[1]))
            begins = None


def _read_time(text: str) -> float:
    return datetime.fromisoformat(text.replace(",", ".")).replace(tzinfo=UTC).timestamp()


def count_causes(late: Sequence[tuple[float, float]], causes: Sequence[Cause]) -> dict[str, int]:
    """Return by name how many late commits a cause overlaps; a commit may have several, or none.

    Causes of one name do not overlap one another.
    """
    counts = {name: _count_overlaps(late, mine) for name, mine in _group(causes).items()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def count_unexplained(late: Sequence[tuple[float, float]], causes: Sequence[Cause]) -> int:
    """Return how many late commits no cause overlaps."""
    groups = _group(causes).values()
    return sum(not any(_overlaps(mine, *commit) for mine in groups) for commit in late)


def _group(causes: Sequence[Cause]) -> dict[str, list[Cause]]:
    groups: dict[str, list[Cause]] = {}
    for cause in sorted(causes, key=lambda cause: cause.begins):
        groups.setdefault(cause.name, []).append(cause)
    return groups


def _count_overlaps(late: Sequence[tuple[float, float]], mine: Sequence[Cause]) -> int:
    return sum(_overlaps(mine, *commit) for commit in late)


def _overlaps(mine: Sequence[Cause], begins: float, ends: float) -> bool:
    last = bisect_left(mine, ends, key=lambda cause: cause.begins) - 1
    return last >= 0 and mine[last].ends > begins


def sum_seconds(causes: Sequence[Cause]) -> dict[str, float]:
    """Return by name for how many seconds each cause ran."""
    names = {cause.name for cause in causes}
    return {name: sum(cause.ends - cause.begins for cause in causes if cause.name == name) for name in names}
