"""A run in a process of its own that prints each step and waits before it continues, so that a test can kill it."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

Say = Callable[[str], None]

# processes fork from one that has imported what every load imports; the checks' library alone takes seconds
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["promptsales.quality.run", "promptsales.cli.load", "promptsales.extract.mongo.reader"])
# on a busy machine the imports of the first process take long
_PATIENCE_S = 120


class Stepwise:
    """The parent's side: lets the run continue, or kills it."""

    def __init__(self, process: BaseProcess, steps: Connection) -> None:
        self._process, self._steps = process, steps

    def advance(self, until: str) -> None:
        """Let the run continue until it reaches a step, where it waits.

        Raises:
            AssertionError: when it ends, or prints nothing for too long, before that.
        """
        passed: list[str] = []
        while (line := self._said(passed, until)) != until:
            passed.append(line)
            self.let_go()

    def _said(self, passed: list[str], until: str) -> str:
        assert self._steps.poll(_PATIENCE_S), f"the run printed nothing before {until!r}, after {passed}"
        try:
            return str(self._steps.recv())
        except EOFError:
            raise AssertionError(f"the run ended before {until!r}, after {passed}") from None

    def let_go(self) -> None:
        """Let the run continue from the step where it waits."""
        self._steps.send(None)

    def kill(self) -> None:
        """Kill the run at once, as kill -9 does."""
        self._process.kill()
        self._process.join()


@contextmanager
def stepwise(run: Callable[[Say], None]) -> Iterator[Stepwise]:
    """Start a process that runs ``run``, a function of a module; kill it at the end of the block."""
    ours, theirs = _SERVER.Pipe()
    process = _SERVER.Process(target=_run, args=(run, theirs), daemon=True)
    process.start()
    theirs.close()
    started = Stepwise(process, ours)
    try:
        yield started
    finally:
        started.kill()
        ours.close()


def _run(run: Callable[[Say], None], steps: Connection) -> None:
    def say(step: str) -> None:
        steps.send(step)
        steps.recv()

    run(say)
