"""The start of one service: wait for what it needs, prepare, start, ask until it is well."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event
from typing import Literal

from local.service import Service, Unwell
from local.supervisor import Process, Supervisor
from promptsales.errors import TerminalError

State = Literal["waiting", "starting", "healthy", "failed"]
STARTS_BEFORE_GIVING_UP, POLL_S = 3, 0.2


class Abandoned(TerminalError):
    """Another service failed, so this one was not waited for."""


class Start:
    """Brings one service up, in a thread of its own; ``tell`` hears of every change of state."""

    def __init__(
        self, service: Service, supervisor: Supervisor, given_up: Event, tell: Callable[[str, State], None]
    ) -> None:
        self._service, self._supervisor, self._given_up, self._tell = service, supervisor, given_up, tell
        self._names = [program.name for program in service.programs()]
        self._seen: set[tuple[str, float]] = set()

    def __call__(self, needs: list[Future[None]]) -> None:
        """Bring it up once everything it needs is; raises what made that impossible."""
        name = self._service.name
        self._tell(name, "waiting")
        for need in needs:
            need.result()
        self._tell(name, "starting")
        try:
            self._bring_up()
        except Exception:
            self._given_up.set()
            self._tell(name, "failed")
            raise
        self._tell(name, "healthy")

    def _bring_up(self) -> None:
        if any(process.is_down for process in self._processes()):
            self._service.prepare()
            for name in self._names:
                self._supervisor.start(name)
        deadline = time.monotonic() + self._service.patience_s
        while (trouble := self._trouble()) is not None:
            if self._given_up.is_set():
                raise Abandoned(f"{self._service.name} was not waited for")
            if time.monotonic() > deadline:
                raise TerminalError(
                    f"{self._service.name} is not healthy after {self._service.patience_s} s: {trouble}"
                )
            self._look_for_deaths()
            time.sleep(POLL_S)

    def _processes(self) -> list[Process]:
        known = self._supervisor.processes()
        return [known[name] for name in self._names if name in known]

    def _trouble(self) -> Unwell | None:
        try:
            self._service.settle()
            self._service.probe(youngest(self._processes()))
        except Unwell as trouble:
            return trouble
        return None

    def _look_for_deaths(self) -> None:
        """Give up on a program that dies again and again, with its last words."""
        self._seen |= {(process.name, process.started) for process in self._processes() if process.started}
        for name in self._names:
            if len([one for one, _ in self._seen if one == name]) > STARTS_BEFORE_GIVING_UP:
                log = self._supervisor.logs / f"{name}.log"
                raise TerminalError(
                    f"{name} dies whenever it is started: {self._supervisor.last_words(name)} (log: {log})"
                )


def youngest(running: list[Process]) -> float:
    """When the youngest of these processes was started, in seconds since 1970."""
    return max((process.started for process in running), default=0.0)
