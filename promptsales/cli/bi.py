"""`promptsales bi`: serve the dashboards with Superset."""

import signal
from contextlib import ExitStack

import typer

from local.superset import address_of, log_of, superset
from promptsales.cli.output import show_line, working
from promptsales.errors import TerminalError
from promptsales.settings import settings

app = typer.Typer()


@app.command()
def bi() -> None:
    """Serve the dashboards of bi/ with Superset on the running stack, until Ctrl-C. `make bi` installs it first."""
    current = settings()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else Superset would outlive this command
    try:
        with ExitStack() as running:
            with working("starting Superset"):
                process = running.enter_context(superset(current))
            show_line("Superset with the dashboards; Ctrl-C ends it")
            show_line(f"  address   {address_of(current)}")
            show_line("  login     admin")
            show_line(f"  password  {current.secrets.password('superset_admin')}")
            show_line(f"  log       {log_of(current)}")
            process.wait()
            raise TerminalError(f"Superset ended with exit code {process.returncode}; see {log_of(current)}")
    except KeyboardInterrupt:
        show_line("Superset has ended")
