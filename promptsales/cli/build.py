"""`promptsales build`: build marts without Airflow, with the same code."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from promptsales.cli.output import Json, connected, forget_responses, print_json, progress, show_line, show_table
from promptsales.errors import ConfigError
from promptsales.settings import settings

app = typer.Typer()

Start = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="first day to build, in the reporting time zone")
]
End = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="end, exclusive, a day in the reporting time zone")
]


@app.command()
def build(
    marts: Annotated[list[str] | None, typer.Argument(help="marts; default: all")] = None,
    select: Annotated[
        str, typer.Option(help="'mart', '+mart' with the marts it is built from, 'mart+' with those built from it")
    ] = "",
    start: Start = None,
    end: End = None,
    full: Annotated[bool, typer.Option("--full", help="build all days, not only those that changed")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="wait for another build to finish, or fail at once")
    ] = True,
    as_json: Json = False,
) -> None:
    """Build the days of the marts that changed, or exactly the days from --start to --end (exclusive)."""
    from promptsales.marts.build import build as run
    from promptsales.marts.plan import BuildRequest
    from promptsales.specs.mart import mart, tables
    from promptsales.specs.mart import select as select_marts
    from spark_jobs import jobs

    window = _window(start, end)
    names = [mart(name).mart for name in marts or []] + (select_marts(select) if select else [])
    if full and window:
        raise ConfigError("--full builds all days: omit --start and --end")
    skipped: dict[str, str] = {}
    request = BuildRequest(datetime.now(UTC), "cli:build", window, full)
    with progress("") as (status, line), connected("warehouse") as warehouse:
        try:
            results = run(
                names or tables(), warehouse, settings(), request, jobs, skip=skipped.__setitem__,
                report=lambda name, step: line(f"{name}: {step}"), wait=status if wait else None,
            )  # fmt: skip
        finally:  # a failed build may have published some of the marts
            forget_responses([f"marts.{name}" for name in names or tables()])
    if as_json:
        print_json([vars(result) for result in results])
        return
    show_built("built", [vars(result) for result in results])
    for name, reason in skipped.items():
        show_line(f"{name} skipped: {reason}")


def show_built(title: str, rows: list[dict[str, object]]) -> None:
    """Print one row per mart; every command that builds marts uses this table."""
    columns = ("mart", "staged", "inserted", "updated", "deleted", "restated", "complete_through")
    show_table(title, [column.replace("_", " ") for column in columns], ([row[c] for c in columns] for row in rows))


def _window(start: datetime | None, end: datetime | None) -> tuple[date, date] | None:
    if start is None and end is None:
        return None
    if start is None or end is None or start >= end:
        raise ConfigError(f"--start is {start}, --end is {end}: a range needs both, with --start before --end")
    return start.date(), end.date()
