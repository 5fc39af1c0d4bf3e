"""The start of one service: wait for the services it needs, prepare, start, probe until it is healthy."""

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
    """The start was given up because another service failed."""


class Start:
    """Starts one service in a thread of its own; calls ``on_change`` at every change of state."""

    def __init__(
        self, service: Service, supervisor: Supervisor, given_up: Event, on_change: Callable[[str, State], None]
    ) -> None:
        self._service, self._supervisor, self._given_up, self._on_change = service, supervisor, given_up, on_change
        self._names = [program.name for program in service.programs()]
        self._starts: set[tuple[str, float]] = set()

    def __call__(self, needs: list[Future[None]]) -> None:
        """Start the service once the services it needs are healthy; raise the error that prevents it."""
        name = self._service.name
        self._on_change(name, "waiting")
        for need in needs:
            need.result()
        self._on_change(name, "starting")
        try:
            self._bring_up()
        except Exception:
            self._given_up.set()
            self._on_change(name, "failed")
            raise
        self._on_change(name, "healthy")

    def _bring_up(self) -> None:
        if any(process.is_down for process in self._processes()):
            self._service.prepare()
            self._service.close()
            for name in self._names:
                self._supervisor.start(name)
        deadline = time.monotonic() + self._service.patience_s
        while (trouble := self._trouble()) is not None:
            if self._given_up.is_set():
                raise Abandoned(f"the start of {self._service.name} was given up: another service failed")
            if time.monotonic() > deadline:
                raise TerminalError(
                    f"{self._service.name} is not healthy after {self._service.patience_s} s: {trouble}"
                )
            self._check_restarts()
            time.sleep(POLL_S)

    def _processes(self) -> list[Process]:
        known = self._supervisor.processes()
        return [known[name] for name in self._names if name in known]

    def _trouble(self) -> Unwell | None:
        try:
            self._service.settle()
            self._service.probe(last_start(self._processes()))
        except Unwell as trouble:
            return trouble
        return None

    def _check_restarts(self) -> None:
        """Give up on a program that keeps exiting, and quote its log."""
        self._starts |= {(process.name, process.started) for process in self._processes() if process.started}
        for name in self._names:
            if len([started for program, started in self._starts if program == name]) > STARTS_BEFORE_GIVING_UP:
                log = self._supervisor.logs / f"{name}.log"
                raise TerminalError(f"{name} exits after every start: {self._supervisor.last_error(name)} (log: {log})")


def last_start(running: list[Process]) -> float:
    """Return when the last of these processes was started, in seconds since 1970."""
    return max((process.started for process in running), default=0.0)
