"""What was measured, and the process that measures one load."""

import json
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from promptsales.settings import ROOT


class Timing(NamedTuple):
    """One round: seconds of the process, of the checker's import in it, and of each step; peak MiB; rows read."""

    wall: float
    imported: float
    steps: dict[str, float]
    above_imports_mib: float
    extracted: int


class Case(NamedTuple):
    """One comparison: the seconds of each round of the floor, and what each load took."""

    name: str
    floor: list[float]
    loads: list[Timing]

    @property
    def floor_s(self) -> float:
        """Median of the floor's rounds."""
        return statistics.median(self.floor)

    @property
    def load_s(self) -> float:
        """Median of the loads, the import of the checker left out."""
        return statistics.median(one.wall - one.imported for one in self.loads)

    @property
    def ratio(self) -> float:
        """How many times the floor a load takes."""
        return self.load_s / self.floor_s


def load(feed: str) -> Timing:
    """Load the delta of a feed in a process of its own.

    Raises:
        CalledProcessError: when the load failed; what it said went to standard error.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", feed], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    wall, found = time.perf_counter() - began, json.loads(done.stdout)
    return Timing(wall, found["import_s"], found["steps_s"], found["above_imports_mib"], found["extracted"])
