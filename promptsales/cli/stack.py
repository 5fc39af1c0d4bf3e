"""`promptsales up`, `down`, `status`, `logs`, `dsn`: the local stack."""

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
from local.stack import ServiceStatus
from local.start import State
from promptsales.cache.responses import cache_of
from promptsales.cli.output import Json, console, plain, print_json, print_text
from promptsales.errors import ConfigError
from promptsales.monitoring.live_figures import live_figures
from promptsales.monitoring.stream_status import following
from promptsales.settings import Settings, settings

app = typer.Typer()
_COLOUR = {"healthy": "green", "unwell": "yellow", "failed": "red", "down": "red", "starting": "cyan"}


class _Board:
    """The progress of a start: a table that grows in a terminal, else a line for each service that is done."""

    def __init__(self, console: Console) -> None:
        self._rows: dict[str, tuple[State, float]] = {}
        self._console = console
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8, transient=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, (state, seconds) in self._rows.items():
            table.add_row(f"  {name}", Text(state, _COLOUR.get(state, "dim")), f"{seconds:.1f} s")
        return table

    def tell(self, name: str, state: State, seconds: float) -> None:
        """Take note of a service's new state."""
        self._rows[name] = (state, seconds)
        if state in ("healthy", "failed"):
            line = Text(f"  {name:<10} ").append(state, _COLOUR[state]).append(f" after {seconds:.1f} s")
            self._console.print(line)

    def run(self, work: Callable[[], None]) -> None:
        """Do the work with the board in sight."""
        if not self._console.is_terminal:
            work()
            return
        with self._live:
            work()


@app.command()
def up() -> None:
    """Start the local stack and wait until every service says that it is healthy."""
    board = _Board(console)
    board.run(lambda: stack.up(settings(), board.tell))


@app.command()
def down(
    remove: Annotated[
        bool, typer.Option("--remove", help="delete the state folder too: all data, logs, secrets")
    ] = False,
) -> None:
    """Stop the local stack; its data stays."""
    stack.down(settings(), remove)


@app.command()
def status(
    as_json: Json = False,
) -> None:
    """Ask each service how it is; exit code 1 when one is not healthy."""
    here = settings()
    found = stack.status(here)
    found += _connectors(here, {one.name for one in found if one.health == "healthy"})
    if as_json:
        print_json([one.model_dump() for one in found])
    else:
        console.print(_status_table(found))
    if any(one.health != "healthy" for one in found):
        raise typer.Exit(1)


def _connectors(here: Settings, healthy: set[str]) -> Iterator[ServiceStatus]:
    """A line for each connector that was applied: how far behind in the slot, on the bus, in the warehouse."""
    if not healthy >= {"connect", "kafka", "sources", "warehouse"}:
        return
    applied = [one for one in following(here) if one.status.state != "missing"]
    if applied:
        yield _live(here)
    for one in applied:
        age = f"last commit {str(one.lag.age).split('.')[0]} ago" if one.lag.age else "nothing applied"
        yield ServiceStatus(
            name=f"connector {one.status.connector}",
            version=f"epoch {one.status.epoch}",
            address=f"slot {one.lag.slot_bytes or 0} bytes, bus {one.lag.events} events, {age}",
            memory_mb=0,
            health="healthy" if one.is_running else "unwell",
            hint="" if one.is_running else f"{one.status.trouble or one.status.task}; see `promptsales doctor`",
        )


def _live(here: Settings) -> ServiceStatus:
    """What the stream has brought."""
    with cache_of(here) as cache:
        found = live_figures(here, cache)
    said = (
        f"{found.active_campaigns} active campaigns, {found.near_budget} of them near or over budget; "
        f"{found.last_hour_impressions} impressions in the last hour"
    )
    return ServiceStatus(name="live", version="", address=said, memory_mb=0, health="healthy", hint="")


def _status_table(found: list[ServiceStatus]) -> Table:
    table = Table(box=None, header_style="bold", show_footer=True, pad_edge=False)
    total = f"{sum(one.memory_mb for one in found)} MB"
    for header, footer in (("service", ""), ("version", ""), ("address", ""), ("memory", total), ("health", "")):
        table.add_column(header, footer, justify="right" if header == "memory" else "left", overflow="fold")
    for one in found:
        health = plain(one.health, _COLOUR[one.health])
        if one.hint and one.health != "down":
            health.append_text(plain(f": {one.hint}", "default"))
        memory = f"{one.memory_mb} MB" if one.memory_mb else ""
        table.add_row(*map(plain, (one.name, one.version, one.address, memory)), health)
    return table


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="one service; all of them when left out")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until interrupted")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="how many lines of each log")] = 20,
) -> None:
    """Show the newest lines of the services' logs."""
    folder = settings().state / "logs"
    found = sorted(folder.glob(f"{service or ''}*.log"))
    if not found:
        names = ", ".join(path.stem for path in sorted(folder.glob("*.log"))) or "none yet: run `promptsales up`"
        raise ConfigError(f"no log of {service or 'any service'} in {folder}; there are {names}")
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, found)]
    with suppress(KeyboardInterrupt), subprocess.Popen(command, stdout=subprocess.PIPE) as tail:
        for line in tail.stdout or ():
            # a log holds whatever a server was sent
            print_text(line.decode(errors="backslashreplace"))


@app.command()
def dsn(name: Annotated[str, typer.Argument(help="which one; a wrong name shows the list")]) -> None:
    """Print one connection string, with its password."""
    print(settings().address(name))  # type: ignore[arg-type] # address() itself refuses what it does not know
