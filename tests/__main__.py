"""Run every check and every test: ``make test``.

Most of a test's time is waiting for servers, so three lanes of tests run at once on two stacks. The first stack has
every server. Two lanes share it: that of the marts and the rules has databases of its own. The faults kill servers, so
they have the second stack, without Airflow, for themselves; then its lane takes groups from the queue of the first.
The checks run while the servers start; when they fail, all stops.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from types import FrameType

from promptsales.settings import ROOT, Settings, settings
from tests.support.lanes import Group, Lanes, pytest
from tests.support.servers import second, sharing, started


def _parts(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/integration/{name}" for name in names)


# in databases of their own
APART = (
    Group("marts", _parts("marts")),
    Group("rules", (*_parts("rules"), "tests/properties/test_bad_rows.py")),
)
# with Airflow
FULL = (Group("e2e", ("tests/e2e",)), Group("security", ("tests/security",)))
# on servers that nobody else uses meanwhile
ALONE = (Group("faults", ("tests/faults",)),)
# on any stack; few, as each process imports the libraries again, and the longest first, so that the lanes end together
ANY = (
    Group("streams", _parts("streams")),
    Group("load", _parts("load", "extract", "content", "reconcile")),
    Group("provision", _parts("provision", "quality", "authoring", "privacy")),
    Group("others", (
        "tests/properties", "--ignore=tests/properties/test_bad_rows.py",
        *_parts("seed", "public_shapes", "cli", "webui"),
        *_parts(*sorted(path.name for path in (ROOT / "tests/integration").glob("test_*.py"))),
    )),
)  # fmt: skip


class Suite:
    """One run of everything."""

    def __init__(self) -> None:
        self.lanes = Lanes(pytest)
        self.errors: list[BaseException] = []
        self._any, self._threads = deque(ANY), list[threading.Thread]()
        self._starting = threading.Lock()

    def start(self) -> None:
        """Start both stacks, each in a thread that removes it once its lanes have ended."""
        first = settings()
        shared = [[deque(FULL), self._any], [deque(APART)]]
        alone = [[deque(ALONE), self._any]]
        for stack, queues, without in ((first, shared, ()), (second(first), alone, ("airflow",))):
            self._threads.append(threading.Thread(target=self._hold, args=(stack, queues, without)))
            self._threads[-1].start()

    def _hold(self, stack: Settings, lanes: Sequence[Sequence[deque[Group]]], without: Collection[str]) -> None:
        try:
            with ExitStack() as servers:
                # one after the other: all at once, on a busy machine, some server would not be healthy in time
                with self._starting:
                    if self.lanes.is_stopped:
                        return
                    servers.enter_context(started(stack, without))
                run = [threading.Thread(target=self.lanes.run, args=(queues, sharing(stack))) for queues in lanes]
                for thread in run:
                    thread.start()
                for thread in run:
                    thread.join()
        except Exception as error:
            self.errors.append(error)
            self.lanes.stop()

    def wait(self) -> None:
        """Wait until both stacks are removed."""
        for thread in self._threads:
            thread.join()


def main() -> int:
    """Run everything and return the exit code: 1 when anything failed."""
    signal.signal(signal.SIGTERM, _interrupt)
    # a shell starts what runs in its background with SIGINT ignored, and the groups inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began, suite = time.monotonic(), Suite()
    checks = subprocess.Popen(["make", "--no-print-directory", "check"])
    suite.start()
    try:
        if checks.wait() != 0:
            suite.lanes.stop()
        suite.wait()
    except KeyboardInterrupt:
        checks.terminate()
        suite.lanes.stop()
        suite.wait()
        print("interrupted")
        return 130
    _summarise(suite, checks.returncode, time.monotonic() - began)
    return int(any([checks.returncode, *suite.errors, *(result.code for result in suite.lanes.results)]))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _summarise(suite: Suite, checks: int, seconds: float) -> None:
    print(f"\n======== make test: {seconds:.0f} s on {os.cpu_count()} cores")
    print(f"{'checks':<12} {'passed' if checks == 0 else 'FAILED'}")
    for line in (*suite.lanes.results, *(f"FAILED: {error}" for error in suite.errors)):
        print(line)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
