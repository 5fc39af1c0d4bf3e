"""Applications that write while a test watches the stream, breaks it and repairs it."""

from itertools import cycle
from threading import Event, Thread
from types import TracebackType
from typing import Literal, NamedTuple, Self

import psycopg

from promptsales.settings import Settings


class Work(NamedTuple):
    """What an application does, one transaction after another, repeatedly."""

    system: Literal["promptads", "promptcrm"]
    kinds: tuple[str, ...]


class Working:
    """An application that writes in a thread until the block ends; it reconnects when its database was unavailable."""

    def __init__(self, stack: Settings, work: Work, pause_s: float = 0.01) -> None:
        self._address, self._pause_s, self._done = stack.address(work.system), pause_s, Event()
        self._thread = Thread(target=self._work)
        self._kinds = cycle(work.kinds)
        self.commits = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._done.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=2) as system:
                    while not self._done.wait(self._pause_s):
                        self._one(system)
            except psycopg.OperationalError:
                self._done.wait(0.2)

    def _one(self, system: psycopg.Connection) -> None:
        system.execute(next(self._kinds).encode())
        self.commits += 1
