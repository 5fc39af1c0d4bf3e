"""The entry point of `promptsales`."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import typer

from promptsales import __version__
from promptsales.cli.collector import collect_little
from promptsales.cli.output import print_text, show_error
from promptsales.core_dumps import forbid_core_dumps
from promptsales.errors import PipelineError

# a module has the command that is called like it, except for these
_COMMANDS = {"stack": ("up", "down", "status", "logs", "psql", "dsn"), "platform": ("provision", "register", "topics")}
# in the order of `promptsales --help`
MODULES = (
    *("run", "stack", "platform", "seed", "load", "build", "check", "freshness", "loads", "quarantine", "reconcile"),
    *("pii", "contracts", "connectors", "dlq", "docs", "report", "bi", "doctor"),
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
    """PromptSales data pipeline: manage the stack and its schemas, load feeds, build marts, check the results."""


def select_modules(words: Sequence[str]) -> tuple[str, ...]:
    """Return the module of the command in ``words``, else all modules; importing all takes most of a second."""
    command = next((word for word in words if not word.startswith("-")), "")
    return tuple(name for name in MODULES if command in _COMMANDS.get(name, (name,))) or MODULES


def command_line(modules: Sequence[str] = MODULES) -> typer.Typer:
    """Return the command line with the commands of some modules."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(promptsales)
    for name in modules:
        module_app = import_module(f"promptsales.cli.{name}").app
        app.registered_commands += module_app.registered_commands
        app.registered_groups += module_app.registered_groups
    return app


def main() -> None:
    """Run the command line; print one of our own errors as one line instead of a traceback."""
    forbid_core_dumps()
    collect_little()
    if isinstance(sys.stdout, TextIOWrapper):
        # escape what a terminal or pipe without UTF-8 cannot encode
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        command_line(select_modules(sys.argv[1:]))()
    except PipelineError as error:
        show_error(error)
        sys.exit(1)
