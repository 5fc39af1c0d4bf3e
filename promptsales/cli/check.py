"""`promptsales check`: the suites against the warehouse as it stands."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from promptsales import contracts
from promptsales.cli.output import Json, connected, console, print_json, show_table
from promptsales.errors import ConfigError

app = typer.Typer()


@app.command()
def check(
    feeds: Annotated[list[str] | None, typer.Argument(help="feeds, by the names of their core tables")] = None,
    every: Annotated[bool, typer.Option("--all", help="all feeds")] = False,
    junit: Annotated[Path | None, typer.Option(help="write the results as JUnit XML")] = None,
    as_json: Json = False,
) -> None:
    """Run the suites against core as it stands. Exit code 1 when a rule fails that is more than a warning."""
    if bool(feeds) == every:
        raise ConfigError(f"name feeds or say --all; feeds are {', '.join(contracts.contracts())}")
    chosen = [contracts.contract(name) for name in feeds or contracts.contracts()]
    # Great Expectations takes seconds to import
    from promptsales.quality.audit import audit_core
    from promptsales.quality.feeds import check_feeds
    from promptsales.quality.junit import write_junit

    now = datetime.now(UTC)
    with console.status("checking"), connected("warehouse") as warehouse:
        on_feeds = check_feeds(warehouse, [one.table for one in chosen], now)
        found = {one.table: [*audit_core(one, warehouse, now), *on_feeds[one.table]] for one in chosen}
    if junit:
        write_junit(junit, found)
    rows: list[dict[str, Any]] = [verdict.summary(table) for table, verdicts in found.items() for verdict in verdicts]
    if as_json:
        print_json(rows)
    else:
        show_table("checks", rows[0].keys() if rows else (), (row.values() for row in rows))
    if any(row["result"] == "failed" for row in rows):
        raise typer.Exit(1)
