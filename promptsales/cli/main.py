"""`promptsales`: every command in one place."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import typer

from promptsales import __version__
from promptsales.cli.collector import collect_little
from promptsales.cli.output import print_text, show_error
from promptsales.errors import PipelineError

# modules by their names, in the order of the help; each has the command of its name, but for
_COMMANDS = {"stack": ("up", "down", "status", "logs", "dsn"), "platform": ("provision", "register", "topics")}
MODULES = (
    *("run", "stack", "platform", "seed", "load", "build", "check", "freshness", "quarantine", "reconcile", "pii"),
    *("contracts", "connectors", "dlq", "docs", "report", "doctor"),
)


def print_version(is_asked: bool) -> None:
    """Print the version and end the command, if ``--version`` was given.

    Raises:
        typer.Exit: when the version was printed.
    """
    if is_asked:
        print_text(f"promptsales {__version__}\n")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="print the version")]


def promptsales(version: Version = False) -> None:
    """PromptSales data pipeline: the stack, its schemas, the loads and their checks."""


def needed(words: Sequence[str]) -> tuple[str, ...]:
    """The module of the command that is asked for; all, where it is none. To import all takes most of a second."""
    asked = next((word for word in words if not word.startswith("-")), "")
    return tuple(name for name in MODULES if asked in _COMMANDS.get(name, (name,))) or MODULES


def command_line(modules: Sequence[str] = MODULES) -> typer.Typer:
    """The command line, with the commands of some modules."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(promptsales)
    for name in modules:
        found = import_module("promptsales.cli.seed" if name == "seed" else f"promptsales.cli.{name}").app
        app.registered_commands += found.registered_commands
        app.registered_groups += found.registered_groups
    return app


def main() -> None:
    """Run the command line; an error of ours is one line, not a traceback."""
    collect_little()
    if isinstance(sys.stdout, TextIOWrapper):
        # a terminal or pipe of another encoding than UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        command_line(needed(sys.argv[1:]))()
    except PipelineError as error:
        show_error(error)
        sys.exit(1)
