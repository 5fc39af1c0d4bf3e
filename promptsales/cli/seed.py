"""`promptsales seed`: write sample data once, and live traffic on request."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Timer
from typing import Annotated

import typer

from promptsales.cli.output import Json, print_json, show_line, show_table, working
from promptsales.seed import SeedReport
from promptsales.seed import seed as fill
from promptsales.seed.live import live as change
from promptsales.seed.world import DAYS, Size
from promptsales.settings import settings

DAYS_OF_A_YEAR = 365.25

app = typer.Typer()


@app.command()
def seed(
    size: Annotated[Size, typer.Option(help="2,000 (small) or 1 M (medium) leads with related rows")] = Size.SMALL,
    years: Annotated[int | None, typer.Option(min=1, max=20, help="years of history; default: 90 days")] = None,
    live: Annotated[bool, typer.Option("--live", help="then keep changing every system until Ctrl-C")] = False,
    rate: Annotated[float, typer.Option(min=0.01, max=1_000, help="with --live: transactions per second")] = 5.0,
    seconds: Annotated[float | None, typer.Option(min=0, help="with --live: stop after this many seconds")] = None,
    as_json: Json = False,
) -> None:
    """Fill every empty system with the same sample data every time; a system that holds rows is not changed.

    A known number of rows is invalid on purpose: the source accepts them, and the checks quarantine them.
    """
    anchor = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = round(years * DAYS_OF_A_YEAR) if years else DAYS
    with working("") as tell:
        report = fill(settings(), size, anchor, tell, days=days)
    if not as_json:
        _show(report)
    changed = _live(size, anchor, rate, seconds, days) if live else {}
    if as_json:
        print_json(report.model_dump(mode="json") | {"changed": changed})
    elif live:
        show_table("changed", ("table", "rows"), sorted(changed.items()))


def _live(size: Size, anchor: datetime, rate: float, seconds: float | None, days: int) -> dict[str, int]:
    with _stop_event(seconds) as stop, working("changing every system; Ctrl-C stops") as tell:
        return change(settings(), size, anchor, rate, stop, tell, days)


@contextmanager
def _stop_event(seconds: float | None) -> Iterator[Event]:
    """Yield an event that Ctrl-C, SIGTERM or a timeout sets, so that no transaction is cut off."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    timer = Timer(seconds, stop.set) if seconds is not None else None
    if timer:
        timer.start()
    try:
        yield stop
    finally:
        if timer:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(report: SeedReport) -> None:
    if report.is_unchanged:
        show_line("every system already holds rows: nothing was written")
        return
    show_table(f"written in {report.seconds} s", ("table", "rows"), report.rows.items())
    show_table("of these invalid on purpose", ("feed", "rows"), report.planted.items())
    if report.already_there:
        show_line(f"not changed, because they already held rows: {', '.join(report.already_there)}")
