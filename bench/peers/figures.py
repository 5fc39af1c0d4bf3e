"""Medians and spreads of the runs, and the tables that show them."""

import statistics
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bench.peers.methods import METHODS
from bench.peers.process import Usage

# the runs of each method, by case
Runs = dict[str, dict[str, list[Usage]]]


class Spread(NamedTuple):
    """The seconds of several runs."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})" if self.least < self.most else self.short

    @property
    def short(self) -> str:
        """Return the median alone."""
        return f"{self.median:.2f}"


def spread(runs: list[Usage]) -> Spread:
    """Return the median, the least and the most seconds."""
    seconds = [run.wall_s for run in runs]
    return Spread(statistics.median(seconds), min(seconds), max(seconds))


def rows(runs: Mapping[str, list[Usage]]) -> Iterator[tuple[str, ...]]:
    """Yield a row per method: title, runs, seconds, multiple of the floor, processor seconds, peak MiB."""
    floor = spread(runs["floor"]).median if runs.get("floor") else None
    for name, measured in runs.items():
        seconds = spread(measured)
        multiple = f"{seconds.median / floor:.1f}" if floor else "-"
        cpu = f"{statistics.median(run.cpu_s for run in measured):.1f}" if measured[0].cpu_s else "-"
        peak = f"{max(run.peak_mib for run in measured):.0f}" if measured[0].peak_mib else "-"
        yield METHODS[name].title, str(len(measured)), str(seconds), multiple, cpu, peak


def markdown(case: str, runs: Mapping[str, list[Usage]]) -> str:
    """Return the table of a case."""
    head = f"| {case} | runs | seconds | x floor | own CPU seconds | peak MiB |\n|---|---|---|---|---|---|\n"
    return head + "".join("| " + " | ".join(row) + " |\n" for row in rows(runs))
