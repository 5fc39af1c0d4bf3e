"""What befalls the parts of the stream: a program is ended at once, or stands still for a while."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from local.processes import GONE, family
from local.supervisor import Supervisor
from promptsales.settings import Settings
from tests.support.streaming import wait

# programs of the supervisor; it starts each again by itself
PARTS = ("stream-0", "connect", "redis", "kafka", "warehouse", "sources")


def _pid(stack: Settings, name: str) -> int:
    found = Supervisor(stack.state).processes()[name].pid
    assert found, f"{name} does not run"
    return found


def kill(stack: Settings, name: str) -> None:
    """End a program at once, and wait until the supervisor has started another."""
    found = _pid(stack, name)
    os.kill(found, signal.SIGKILL)
    wait(lambda: Supervisor(stack.state).processes()[name].pid not in (0, None, found))


@contextmanager
def frozen(stack: Settings, name: str) -> Iterator[None]:
    """A program, and all it started, stands still until the block ends: its connections stay, nobody answers."""
    found = family(_pid(stack, name))
    try:
        for process in found:
            process.suspend()
        yield
    finally:
        for process in found:
            with suppress(*GONE):
                process.resume()
