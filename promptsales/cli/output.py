"""What the commands share: connections by name, tables for people, JSON for machines."""

import json
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from promptsales import connections
from promptsales.settings import InternalName, PublicName, settings

# piped, a table is as wide as it needs to be rather than cut to 80 columns
console = Console(width=None if sys.stdout.isatty() else 160)

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


def forget_responses(tables: Iterable[str]) -> None:
    """Let go of the answers in the global cache that were made from tables changed just now."""
    from promptsales.responses import cache_of, forget

    with cache_of(settings()) as cache:
        forget(cache, tables)


def show_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A table for people; None reads as a dash, times are UTC to the second."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d\N{NO-BREAK SPACE}%H:%M:%SZ}"
    return str(value)


def print_json(value: Any) -> None:
    """JSON on standard output; times and ids as text."""
    print(json.dumps(value, default=str, indent=2))
