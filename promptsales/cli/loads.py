"""`promptsales loads`: the history of loads and builds, as on the Warehouse page."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from promptsales.cli.output import Json, Limit, connected, print_json, show_line, show_table
from promptsales.errors import ConfigError
from promptsales.monitoring.loads import STATES, TRIGGERS, Load, LoadFilter, read_loads
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables

app = typer.Typer()

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@app.command()
def loads(
    feed: Annotated[str | None, typer.Argument(help="feed or mart; default: all")] = None,
    since: Annotated[str, typer.Option(help="how far back, such as 90m, 12h or 7d; or an ISO date or time")] = "7d",
    state: Annotated[str | None, typer.Option(help=f"one of {', '.join(STATES)}")] = None,
    trigger: Annotated[str | None, typer.Option(help=f"one of {', '.join(TRIGGERS)}")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List loads of feeds, builds of marts, and batches that their checks blocked, newest first."""
    _check("feed or mart", feed, (*contracts(), *tables()))
    _check("state", state, STATES)
    _check("trigger", trigger, TRIGGERS)
    chosen = LoadFilter(feed, state, trigger, parse_since(since, datetime.now(UTC)))
    with connected("warehouse", "look") as warehouse:
        page = read_loads(warehouse, chosen, limit)
    if as_json:
        print_json([load._asdict() for load in page.loads])
        return
    columns = ("published", "table", "state", "mode", "read", "inserted", "updated", "quarantined", "seconds", "run")
    show_table("loads", columns, map(_row, page.loads))
    show_line(f"{len(page.loads)} of {page.total} since {chosen.since:%Y-%m-%d %H:%M} UTC")


def _row(load: Load) -> list[Any]:
    seconds = None if load.seconds is None else round(load.seconds, 1)
    counts = (load.rows_read, load.inserted, load.updated, load.quarantined)
    return [load.published_at, load.name, load.state, load.mode, *counts, seconds, load.triggered_by]


def _check(kind: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise ConfigError(f"no {kind} is called {value!r}; use one of {', '.join(allowed)}")


def parse_since(text: str, now: datetime) -> datetime:
    """Return the instant that a text means: an age such as ``12h``, or an ISO date or time, UTC by default.

    Raises:
        ConfigError: when it is neither.
    """
    try:
        if text[-1:] in _UNITS and text[:-1].isdigit():
            return now - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"--since is {text!r}; write an age such as 90m, 12h or 7d, or a date such as 2026-11-20"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
