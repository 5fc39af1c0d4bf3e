"""Groups of tests side by side: each lane runs one group after the other, each as a process of its own."""

import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

STOP_S = 60
_TOTALS = re.compile(r"^=*[ ]?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)


class Group(NamedTuple):
    """Tests that run in one process: a name, and the arguments that select them."""

    name: str
    arguments: tuple[str, ...]


class Result(NamedTuple):
    """How a group ended: its exit code, what its last line counts (``2 failed, 3 passed``), how long it took."""

    name: str
    code: int
    counts: str
    seconds: float

    def __str__(self) -> str:
        """Return a line of the summary."""
        outcome = "passed" if self.code == 0 else f"FAILED (exit code {self.code})"
        return f"{self.name:<12} {outcome:<22} {self.seconds:5.0f} s  {self.counts}"


@dataclass
class Lanes:
    """The lanes of one run; ``command`` makes the command of a group."""

    command: Callable[[Group], Sequence[str]]
    say: Callable[[str], None] = lambda text: print(text, flush=True)
    results: list[Result] = field(default_factory=list)
    _running: set["subprocess.Popen[str]"] = field(default_factory=set)
    is_stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, queues: Sequence[deque[Group]], environment: Mapping[str, str]) -> None:
        """Run the groups of these queues, the first queue first, until all are empty; lanes may share a queue."""
        while (group := self._next(queues)) is not None:
            with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
                began = time.monotonic()
                code = self._run(group, environment, output)
                output.seek(0)
                self._report(group, code, output.read(), time.monotonic() - began)

    def stop(self) -> None:
        """Interrupt the groups that run, as Ctrl-C does, and start no other."""
        with self._lock:
            self.is_stopped = True
            running = list(self._running)
        for process in running:
            process.send_signal(signal.SIGINT)
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            process.kill()

    def _next(self, queues: Sequence[deque[Group]]) -> Group | None:
        with self._lock:
            if self.is_stopped:
                return None
            return next((queue.popleft() for queue in queues if queue), None)

    def _run(self, group: Group, environment: Mapping[str, str], output: object) -> int:
        with self._lock:
            if self.is_stopped:
                return -signal.SIGINT
            process = subprocess.Popen(
                self.command(group),
                env=dict(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,  # type: ignore[call-overload]
            )
            self._running.add(process)
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return int(code)

    def _report(self, group: Group, code: int, output: str, seconds: float) -> None:
        """Print a group's output as a whole, so that the groups' lines do not mix."""
        result = Result(group.name, code, count(output), seconds)
        with self._lock:
            self.results.append(result)
            self.say(f"\n======== {group.name}: {' '.join(group.arguments)}\n{output.rstrip()}\n-------- {result}")


def count(output: str) -> str:
    """Return what pytest's last line counts, such as ``2 failed, 3 passed``."""
    totals = _TOTALS.findall(output)
    return totals[-1] if totals else "no totals"


def pytest(group: Group) -> list[str]:
    """Return the command that runs a group."""
    return [sys.executable, "-m", "pytest", "-q", "--durations=8", "--color=no", *group.arguments]
