"""Timings of loads, and the start of the process that measures one load."""

import json
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from promptsales.settings import ROOT


class Timing(NamedTuple):
    """One load: seconds of the process, of the import of the checker, and of each step; peak MiB; rows read."""

    wall: float
    imported: float
    steps: dict[str, float]
    above_imports_mib: float
    extracted: int


class Case(NamedTuple):
    """One comparison: the seconds of each floor, and the timing of each load."""

    name: str
    floor: list[float]
    loads: list[Timing]

    @property
    def floor_s(self) -> float:
        """Return the median of the floors."""
        return statistics.median(self.floor)

    @property
    def load_s(self) -> float:
        """Return the median of the loads without the import of the checker."""
        return statistics.median(load.wall - load.imported for load in self.loads)

    @property
    def ratio(self) -> float:
        """Return the load's time as a multiple of the floor's."""
        return self.load_s / self.floor_s


def load(feed: str) -> Timing:
    """Load the delta of a feed in a process of its own, and return its timing.

    Raises:
        CalledProcessError: when the load failed; its error is on standard error.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", feed], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    wall, output = time.perf_counter() - began, json.loads(done.stdout)
    return Timing(wall, output["import_s"], output["steps_s"], output["above_imports_mib"], output["extracted"])
