"""A run in a process of its own that tells each step and waits before it goes on; to be killed."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

Say = Callable[[str], None]

# processes fork from one that has imported what every load imports; the checker alone takes seconds
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["promptsales.quality.run", "promptsales.cli.load", "promptsales.extract.mongo.reader"])
# on a busy machine the first process of all imports for long
_PATIENCE_S = 120


class Stepwise:
    """The parent's end: lets the run go on, or kills it."""

    def __init__(self, process: BaseProcess, steps: Connection) -> None:
        self._process, self._steps = process, steps

    def advance(self, until: str) -> None:
        """Let the run go on until it says that it reached a step, where it waits.

        Raises:
            AssertionError: when it ends, or says nothing for long, before that.
        """
        passed: list[str] = []
        while (said := self._said(passed, until)) != until:
            passed.append(said)
            self.let_go()

    def _said(self, passed: list[str], until: str) -> str:
        assert self._steps.poll(_PATIENCE_S), f"silent before {until!r}, after {passed}"
        try:
            return str(self._steps.recv())
        except EOFError:
            raise AssertionError(f"ended before {until!r}, after {passed}") from None

    def let_go(self) -> None:
        """Let the run go on from the step it waits at."""
        self._steps.send(None)

    def kill(self) -> None:
        """End the run at once, as kill -9 does."""
        self._process.kill()
        self._process.join()


@contextmanager
def stepwise(run: Callable[[Say], None]) -> Iterator[Stepwise]:
    """A process that does ``run``, a function of a module; it is ended with the block."""
    ours, theirs = _SERVER.Pipe()
    process = _SERVER.Process(target=_run, args=(run, theirs), daemon=True)
    process.start()
    theirs.close()
    found = Stepwise(process, ours)
    try:
        yield found
    finally:
        found.kill()
        ours.close()


def _run(run: Callable[[Say], None], steps: Connection) -> None:
    def say(step: str) -> None:
        steps.send(step)
        steps.recv()

    run(say)
