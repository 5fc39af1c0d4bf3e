"""Run one process, and measure its seconds, its processor time and its memory."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from promptsales.errors import TerminalError

LAST_LINES = 8


class Usage(NamedTuple):
    """What one process took: seconds by the clock, processor seconds of itself and its children, peak MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


class ToolError(TerminalError):
    """A tool failed; the message has the last lines of its output."""


def run(what: str, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> Usage:
    """Run a command to its end in a folder, and return what it took.

    Raises:
        ToolError: when it cannot be started or its exit code is not 0.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        except OSError as error:
            raise ToolError(f"{what} cannot be started: {command[0]}: {error.strerror}") from None
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise ToolError(f"{what} ended with exit code {process.returncode}; its last lines: {last_lines(text)}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def last_lines(text: str) -> str:
    """Return the last lines of a tool's output that are not blank."""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-LAST_LINES:])
