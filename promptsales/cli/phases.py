"""Show the progress of phases, some of them concurrent: a live line per phase in a terminal, and a line at its end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.text import Text

from promptsales.printable import printable

Say = Callable[[str], None]


class Phases:
    """The display of all phases; use it in a ``with`` statement. Several threads may call ``phase`` at once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<22}", markup=False),
            TextColumn("{task.elapsed:6.1f} s"),
            TextColumn("{task.fields[detail]}", style="dim", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def phase(self, name: str) -> Iterator[Say]:
        """Show one phase; yield a function that sets its detail, which is kept in the final line."""
        began, last = time.monotonic(), ""
        task = self._progress.add_task(name, detail="")

        def say(detail: str) -> None:
            nonlocal last
            last = printable(detail)
            self._progress.update(task, detail=last)

        try:
            yield say
        finally:
            self._progress.remove_task(task)
        line = Text(f"  {name:<22} {time.monotonic() - began:6.1f} s  ").append(last, "dim")
        self._console.print(line)
