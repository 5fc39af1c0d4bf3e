"""What the commands share: connections by name, tables and lines for people, JSON for machines.

Nothing else of the command line writes to the terminal: names and messages come from sources and drivers. They are
shown as they are, never read as markup, and what a terminal would obey is escaped.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from promptsales import connections
from promptsales.printable import printable
from promptsales.settings import InternalName, PublicName, settings

# piped, a table is as wide as it needs to be rather than cut to 80 columns
console = Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="print JSON for a machine")]
Limit = Annotated[int, typer.Option(help="how many at the most")]


def group(name: str, description: str) -> tuple[typer.Typer, typer.Typer]:
    """What a module gives to `promptsales`, and the group of commands in it that is called ``name``."""
    app, commands = typer.Typer(), typer.Typer(no_args_is_help=True, help=description)
    app.add_typer(commands, name=name)
    return app, commands


def connected(
    name: PublicName | InternalName, patience: connections.Patience = "work"
) -> AbstractContextManager[psycopg.Connection]:
    """A connection by its name, with the settings of this process."""
    return connections.connected(settings(), name, patience=patience)


Say = Callable[[str], None]


@contextmanager
def progress(what: str) -> Iterator[tuple[Say, Say]]:
    """Say on standard error what is being done, below lines about what is done: standard output is for the result.

    Yields:
        What replaces the text, and what adds a line above it.
    """
    shown = Console(stderr=True, markup=False, emoji=False, highlight=False)
    with shown.status(plain(what)) as status:
        yield lambda what: status.update(plain(what)), lambda line: shown.print(plain(line), soft_wrap=True)


def forget_responses(tables: Iterable[str]) -> None:
    """Let go of the answers in the global cache that were made from tables changed just now."""
    from promptsales.cache.responses import cache_of, forget

    with cache_of(settings()) as cache:
        forget(cache, tables)


def plain(value: object, style: str = "") -> Text:
    """Return a value as a text of one line that Rich shows as it is."""
    return Text(printable(value), style)


def show_line(value: object) -> None:
    """Print one line for people."""
    console.print(plain(value), soft_wrap=True)


def show_error(error: object) -> None:
    """Print one line on standard error."""
    print(f"error: {printable(error)}", file=sys.stderr)


@contextmanager
def working(what: str) -> Iterator[Say]:
    """Show in a terminal what is being done while it is done; yields the function that replaces the text."""
    with console.status(plain(what)) as status:
        yield lambda what: status.update(plain(what))


def show_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A table for people; None reads as a dash, times are UTC to the second, each item of a list is a line."""
    table = Table(title=plain(title, "bold"), title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(plain(column), overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    console.print(table)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("-")
    if isinstance(value, datetime):
        return Text(f"{value.astimezone(UTC):%Y-%m-%d\N{NO-BREAK SPACE}%H:%M:%SZ}")
    return Text("\n".join(map(printable, value))) if isinstance(value, list) else plain(value)


def print_json(value: Any) -> None:
    """JSON on standard output; times and ids as text, and only ASCII, so that no terminal obeys what it holds."""
    print(json.dumps(value, default=str, indent=2))


def print_text(text: str) -> None:
    """A file on standard output, as it is written to disk."""
    print(printable(text, keep="\n"), end="", flush=True)
