"""`promptsales build`: marts outside Airflow, by the same path."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from promptsales.cli.output import Json, connected, forget_responses, print_json, progress, show_line, show_table
from promptsales.errors import ConfigError
from promptsales.settings import settings

app = typer.Typer()

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="a day, in the reporting zone")]


@app.command()
def build(
    marts: Annotated[list[str] | None, typer.Argument(help="marts; all of them when left out")] = None,
    select: Annotated[
        str, typer.Option(help="'mart', '+mart' with all it is made of, 'mart+' with what is made of it")
    ] = "",
    start: Day = None,
    end: Day = None,
    full: Annotated[bool, typer.Option("--full", help="build all days, not only those that changed")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="wait for another build to finish, or fail at once")
    ] = True,
    as_json: Json = False,
) -> None:
    """Build what changed of the marts; --start and --end (not included) build exactly those days."""
    from promptsales.marts.build import build as run
    from promptsales.marts.plan import Asked
    from promptsales.specs.mart import mart, tables
    from promptsales.specs.mart import select as chosen
    from spark_jobs import jobs

    window = _window(start, end)
    names = [mart(name).mart for name in marts or []] + (chosen(select) if select else [])
    if full and window:
        raise ConfigError("--full builds all days: leave out --start and --end")
    skipped: dict[str, str] = {}
    asked = Asked(datetime.now(UTC), "cli:build", window, full)
    with progress("") as (status, line), connected("warehouse") as warehouse:

        def tell(name: str, what: str) -> None:
            line(f"{name}: {what}")

        told = status if wait else None
        try:
            results = run(
                names or tables(), warehouse, settings(), asked, jobs, tell=tell, skip=skipped.__setitem__, wait=told
            )
        finally:  # of several that failed too, some may be published
            forget_responses([f"marts.{name}" for name in names or tables()])
    if as_json:
        print_json([vars(result) for result in results])
        return
    show_built("built", [vars(result) for result in results])
    for name, reason in skipped.items():
        show_line(f"{name} skipped: {reason}")


def show_built(title: str, rows: list[dict[str, object]]) -> None:
    """One row a mart: the table of every command that builds."""
    columns = ("mart", "staged", "inserted", "updated", "deleted", "restated", "complete_through")
    show_table(title, [column.replace("_", " ") for column in columns], ([row[c] for c in columns] for row in rows))


def _window(start: datetime | None, end: datetime | None) -> tuple[date, date] | None:
    if start is None and end is None:
        return None
    if start is None or end is None or start >= end:
        raise ConfigError("a range needs both --start and --end, the earlier day as --start")
    return start.date(), end.date()
