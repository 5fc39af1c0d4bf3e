"""`promptsales check`: run the suites over whole tables of the warehouse."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer

from promptsales.cli.output import Json, connected, print_json, show_table, working
from promptsales.errors import ConfigError
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts

if TYPE_CHECKING:
    from promptsales.quality.verdict import Verdict

app = typer.Typer()


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="names of feeds, streamed tables or marts")] = None,
    every: Annotated[bool, typer.Option("--all", help="check all feeds, streamed tables and marts")] = False,
    junit: Annotated[Path | None, typer.Option(help="write the results as JUnit XML")] = None,
    as_json: Json = False,
) -> None:
    """Run the suites of tables over all their rows. Exit code 1 when a rule fails that is not a warning."""
    chosen = _choose(names or [], every)
    with working("checking"), connected("warehouse") as warehouse:
        results = _check(chosen, warehouse, datetime.now(UTC))
    if junit:
        from promptsales.quality.junit import write_junit

        write_junit(junit, results)
    rows: list[dict[str, Any]] = [verdict.summary(table) for table, verdicts in results.items() for verdict in verdicts]
    if as_json:
        print_json(rows)
    else:
        show_table("checks", rows[0].keys() if rows else (), (row.values() for row in rows))
    if any(row["result"] == "failed" for row in rows):
        raise typer.Exit(1)


def _choose(names: list[str], every: bool) -> list[str]:
    kinds = {"feeds": [*contracts()], "streamed tables": [*stream_contracts()], "marts": [*tables()]}
    known = [name for kind in kinds.values() for name in kind]
    allowed = "; ".join(f"{kind} are {', '.join(members)}" for kind, members in kinds.items())
    if bool(names) == every:
        raise ConfigError(f"name feeds, streamed tables or marts, or pass --all; {allowed}")
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"no feed, streamed table or mart is called {unknown[0]!r}; {allowed}")
    return names or known


def _check(chosen: list[str], warehouse: psycopg.Connection, now: datetime) -> dict[str, list["Verdict"]]:
    # imported here because Great Expectations takes seconds to import
    from promptsales.monitoring.feed_checks import check_feeds
    from promptsales.quality.tables import audit_table

    feeds = [name for name in chosen if name in contracts()]
    warnings = check_feeds(warehouse, feeds, now)
    return {name: [*audit_table(name, warehouse, now), *warnings.get(name, ())] for name in chosen}
