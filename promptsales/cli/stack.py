"""`promptsales up`, `down`, `status`, `logs`, `psql`, `dsn`: manage the local stack."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local import stack
from local.psql import psql as psql_of
from local.stack import ServiceStatus
from local.start import State
from promptsales.cache.responses import cache_of
from promptsales.cli.output import Json, console, plain, print_json, print_text
from promptsales.errors import ConfigError
from promptsales.monitoring.live_figures import live_figures
from promptsales.monitoring.stream_status import read_connectors
from promptsales.settings import Settings, settings

app = typer.Typer()
_COLOUR = {"healthy": "green", "unwell": "yellow", "failed": "red", "down": "red", "starting": "cyan"}


class _Board:
    """The progress of a start: a live table in a terminal, otherwise a line for each service that has started."""

    def __init__(self, console: Console) -> None:
        self._rows: dict[str, tuple[State, float]] = {}
        self._console = console
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8, transient=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, (state, seconds) in self._rows.items():
            table.add_row(f"  {name}", Text(state, _COLOUR.get(state, "dim")), f"{seconds:.1f} s")
        return table

    def update(self, name: str, state: State, seconds: float) -> None:
        """Record a service's new state; print a line when the service is healthy or has failed."""
        self._rows[name] = (state, seconds)
        if state in ("healthy", "failed"):
            line = Text(f"  {name:<10} ").append(state, _COLOUR[state]).append(f" after {seconds:.1f} s")
            self._console.print(line)

    def run(self, work: Callable[[], None]) -> None:
        """Run the work while the table is shown."""
        if not self._console.is_terminal:
            work()
            return
        with self._live:
            work()


@app.command()
def up() -> None:
    """Start the local stack and wait until every service is healthy."""
    board = _Board(console)
    board.run(lambda: stack.up(settings(), board.update))


@app.command()
def down(
    remove: Annotated[
        bool, typer.Option("--remove", help="also delete the state folder: all data, logs, secrets and settings.env")
    ] = False,
) -> None:
    """Stop the local stack; its data is kept."""
    stack.down(settings(), remove)


@app.command()
def status(
    as_json: Json = False,
) -> None:
    """Show the state of each service; exit code 1 when one is not healthy."""
    here = settings()
    services = stack.status(here)
    services += _connectors(here, {service.name for service in services if service.health == "healthy"})
    if as_json:
        print_json([service.model_dump() for service in services])
    else:
        console.print(_status_table(services))
    if any(service.health != "healthy" for service in services):
        raise typer.Exit(1)


def _connectors(here: Settings, healthy: set[str]) -> Iterator[ServiceStatus]:
    """Yield a status for the live figures and for each applied connector, with its lag in slot, bus and warehouse."""
    if not healthy >= {"connect", "kafka", "sources", "warehouse"}:
        return
    applied = [connector for connector in read_connectors(here) if connector.status.state != "missing"]
    if applied:
        yield _live(here)
    for connector in applied:
        status, lag = connector.status, connector.lag
        age = f"last commit {str(lag.age).split('.')[0]} ago" if lag.age else "nothing applied"
        yield ServiceStatus(
            name=f"connector {status.connector}",
            version=f"epoch {status.epoch}",
            address=f"slot {lag.slot_bytes or 0} bytes, bus {lag.events} events, {age}",
            memory_mb=0,
            health="healthy" if connector.is_running else "unwell",
            hint="" if connector.is_running else f"{status.trouble or status.task}; run `promptsales doctor`",
        )


def _live(here: Settings) -> ServiceStatus:
    with cache_of(here) as cache:
        figures = live_figures(here, cache)
    text = (
        f"{figures.active_campaigns} active campaigns, {figures.near_budget} of them near or over budget; "
        f"{figures.last_hour_impressions} impressions in the last hour"
    )
    return ServiceStatus(name="live", version="", address=text, memory_mb=0, health="healthy", hint="")


def _status_table(services: list[ServiceStatus]) -> Table:
    table = Table(box=None, header_style="bold", show_footer=True, pad_edge=False)
    total = f"{sum(service.memory_mb for service in services)} MB"
    for header, footer in (("service", ""), ("version", ""), ("address", ""), ("memory", total), ("health", "")):
        table.add_column(header, footer, justify="right" if header == "memory" else "left", overflow="fold")
    for service in services:
        health = plain(service.health, _COLOUR[service.health])
        if service.hint and service.health != "down":
            health.append_text(plain(f": {service.hint}", "default"))
        memory = f"{service.memory_mb} MB" if service.memory_mb else ""
        table.add_row(*map(plain, (service.name, service.version, service.address, memory)), health)
    return table


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="service; default: all")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="keep printing new lines until Ctrl-C")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="number of lines per log")] = 20,
) -> None:
    """Show the newest lines of the services' logs."""
    folder = settings().state / "logs"
    paths = sorted(folder.glob(f"{service or ''}*.log"))
    if not paths:
        names = ", ".join(path.stem for path in sorted(folder.glob("*.log"))) or "none yet: run `promptsales up`"
        raise ConfigError(f"no log of {service or 'any service'} in {folder}; there are {names}")
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, paths)]
    with suppress(KeyboardInterrupt), subprocess.Popen(command, stdout=subprocess.PIPE) as tail:
        for line in tail.stdout or ():
            # a log can hold any bytes that a server received
            print_text(line.decode(errors="backslashreplace"))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def psql(
    name: Annotated[str, typer.Argument(help="name of a PostgreSQL connection; a wrong name lists all names")],
    arguments: Annotated[list[str] | None, typer.Argument(help="arguments of psql, such as -c 'select 1'")] = None,
) -> None:
    """Run psql on a connection; other users do not see its password."""
    command, environment = psql_of(settings(), name, arguments or [])  # type: ignore[arg-type] # it rejects unknown names
    os.execve(command[0], command, environment)  # noqa: S606 - no shell, and psql replaces this process


@app.command()
def dsn(name: Annotated[str, typer.Argument(help="name of the connection; a wrong name lists all names")]) -> None:
    """Print a connection string, with its password; never pass it to a program as an argument."""
    print(settings().address(name))  # type: ignore[arg-type] # address() rejects unknown names
