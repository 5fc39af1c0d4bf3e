"""`promptsales`: every command in one place."""

import sys

import typer

from promptsales.cli import (
    build,
    check,
    connectors,
    contracts,
    dlq,
    docs,
    doctor,
    freshness,
    load,
    pii,
    platform,
    quarantine,
    reconcile,
    report,
    run,
    stack,
)
from promptsales.collector import collect_little
from promptsales.errors import PipelineError
from promptsales.seed import cli as seed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_MODULES = (
    *(run, stack, platform, seed, load, build, check, freshness, quarantine, reconcile, pii, contracts),
    *(connectors, dlq, docs, report, doctor),
)
for module in _MODULES:
    app.registered_commands += module.app.registered_commands
    app.registered_groups += module.app.registered_groups


@app.callback()
def promptsales() -> None:
    """PromptSales data pipeline: the stack, its schemas, the loads and their checks."""


def main() -> None:
    """Run the command line; an error of ours is one line, not a traceback."""
    collect_little()
    try:
        app()
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
