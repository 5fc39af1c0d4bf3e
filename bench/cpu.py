"""CPU time of the stack's processes, read from `/proc`: who uses how much of a core while a benchmark runs."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from local.supervisor import Supervisor

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
# processes that count for themselves: part of their title, and their name here
_BY_TITLE = {"walsender": "walsender", "org.apache.spark": "spark"}


class Process(NamedTuple):
    """A process: its parent, its title, and the CPU seconds of itself and of its children that have ended."""

    parent: int
    title: str
    seconds: float


class Cores:
    """Counts CPU seconds by program since it was created or restarted; ``generator`` is this process."""

    def __init__(self, state: Path) -> None:
        self._supervisor = Supervisor(state)
        self.restart()

    def restart(self) -> None:
        """Count from now."""
        self._at, self._before = time.monotonic(), self._read()

    def used(self) -> tuple[float, dict[str, float]]:
        """Return the seconds that have passed, and the CPU seconds of each program since then, largest first."""
        now, at = self._read(), time.monotonic()
        spent = {name: max(0.0, seconds - self._before.get(name, 0.0)) for name, seconds in now.items()}
        return at - self._at, dict(sorted(spent.items(), key=lambda item: -item[1]))

    def _read(self) -> dict[str, float]:
        roots = {process.pid: name for name, process in self._supervisor.processes().items() if process.pid}
        return {"generator": time.process_time(), **add_up(roots, dict(_read_processes()))}


def add_up(roots: Mapping[int, str], processes: Mapping[int, Process]) -> dict[str, float]:
    """Return the CPU seconds by program: of its first process and of all that descend from it."""
    totals: defaultdict[str, float] = defaultdict(float)
    for pid, process in processes.items():
        if program := _program_of(pid, roots, processes):
            own = next((name for part, name in _BY_TITLE.items() if part in process.title), program)
            totals[own] += process.seconds
    return totals


def in_words(seconds: Mapping[str, float], unit: float, digits: int) -> str:
    """Return the seconds of programs in multiples of a unit, without those that are zero in so many digits."""
    figures = {name: round(used / unit, digits) for name, used in seconds.items()}
    return ", ".join(f"{name} {figure:.{digits}f}" for name, figure in figures.items() if figure)


def _program_of(pid: int, roots: Mapping[int, str], processes: Mapping[int, Process]) -> str | None:
    while pid not in roots and pid in processes:
        pid = processes[pid].parent
    return roots.get(pid)


def _read_processes() -> Iterator[tuple[int, Process]]:
    for folder in _PROC.glob("[0-9]*"):
        try:
            # the name in parentheses may hold spaces
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        yield int(folder.name), Process(int(fields[1]), title, sum(map(int, fields[11:15])) * _TICK_S)
