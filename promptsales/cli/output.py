"""Connections and output for the commands: tables and lines for people, JSON for programs.

Only this module writes to the terminal. Names and messages come from sources and drivers, so they are never
interpreted as markup, and control characters are escaped.
"""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import psycopg
import typer
from pydantic_core import to_jsonable_python
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from promptsales import connections
from promptsales.printable import printable
from promptsales.settings import settings
from promptsales.targets import InternalName, PublicName

# Rich would cut a piped table to 80 columns
console = Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Limit = Annotated[int, typer.Option(help="maximum number of rows")]


def group(name: str, description: str) -> tuple[typer.Typer, typer.Typer]:
    """Return an app that `promptsales` includes, and the command group ``name`` in it."""
    app, commands = typer.Typer(), typer.Typer(no_args_is_help=True, help=description)
    app.add_typer(commands, name=name)
    return app, commands


def connected(
    name: PublicName | InternalName, patience: connections.Patience = "work"
) -> AbstractContextManager[psycopg.Connection]:
    """Open a connection by its name, with the settings of this process."""
    return connections.connected(settings(), name, patience=patience)


Say = Callable[[str], None]


@contextmanager
def progress(what: str) -> Iterator[tuple[Say, Say]]:
    """Show progress on standard error, because standard output is for the result.

    Yields:
        A function that replaces the status text, and one that prints a line above it.
    """
    stderr = Console(stderr=True, markup=False, emoji=False, highlight=False)
    with stderr.status(plain(what)) as status:
        yield lambda text: status.update(plain(text)), lambda line: stderr.print(plain(line), soft_wrap=True)


def forget_responses(tables: Iterable[str]) -> None:
    """Invalidate the cached responses that were computed from tables that have just changed."""
    from promptsales.cache.responses import cache_of, forget

    with cache_of(settings()) as cache:
        forget(cache, tables)


def plain(value: object, style: str = "") -> Text:
    """Return a value as one line of text, without markup."""
    return Text(printable(value), style)


def show_line(value: object) -> None:
    """Print one line."""
    console.print(plain(value), soft_wrap=True)


def show_error(error: object) -> None:
    """Print an error as one line on standard error."""
    print(f"error: {printable(error)}", file=sys.stderr)


@contextmanager
def working(what: str) -> Iterator[Say]:
    """Show a status text in the terminal during the block; yield a function that replaces it."""
    with console.status(plain(what)) as status:
        yield lambda text: status.update(plain(text))


def show_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]], whole: Collection[str] = ()) -> None:
    """Print a table; None is a dash, times are UTC to the second, and each item of a list is a line.

    Args:
        title: printed above it.
        columns: their headings.
        rows: a value per column.
        whole: headings of columns that are not wrapped, because people copy what they hold.
    """
    table = Table(title=plain(title, "bold"), title_justify="left", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(plain(column), overflow="fold", no_wrap=column in whole)
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
    """Print JSON, in ASCII so that it contains no control characters; times and durations are ISO 8601, ids text."""
    print(json.dumps(value, default=_plain_json, indent=2))


def _plain_json(value: Any) -> Any:
    return to_jsonable_python(value, fallback=str) if isinstance(value, date | timedelta) else str(value)


def print_text(text: str) -> None:
    """Print the text of a file, with control characters escaped."""
    print(printable(text, keep="\n"), end="", flush=True)
