"""Watch which command lines and environments the machine's processes have: any user can read the former."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from promptsales.settings import Settings
from tests.support.inbox import MAIL_PASSWORD, WEB_TOKEN

_PAUSE_S = 0.02


@dataclass
class Watched:
    """What was seen: command lines of all processes, and environments of those that ``marker`` selects."""

    marker: bytes
    command_lines: set[bytes] = field(default_factory=set)
    environments: set[bytes] = field(default_factory=set)

    def look(self) -> None:
        """Look at every process once; a process that ends meanwhile has nothing to read."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                self.command_lines.add((process / "cmdline").read_bytes())
                environment = (process / "environ").read_bytes()
                if self.marker in environment:
                    self.environments.add(environment)


@contextmanager
def watching(marker: bytes) -> Iterator[Watched]:
    """Look again and again until the block ends."""
    watched, ended = Watched(marker), threading.Event()

    def watch() -> None:
        while not ended.wait(_PAUSE_S):
            watched.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield watched
    finally:
        ended.set()
        thread.join()


def secrets_in(texts: set[bytes], stack: Settings) -> list[str]:
    """Return the names of the stack's secrets that stand in any of these texts."""
    values = {path.name: path.read_bytes().strip() for path in (stack.state / "secrets").iterdir()}
    values |= {"alert_mail": MAIL_PASSWORD.encode(), "alert_webhook": WEB_TOKEN.encode()}
    return sorted(name for name, value in values.items() if any(value in text for text in texts))
