"""`promptsales check`: run the suites over whole tables of the warehouse."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from promptsales.cli.output import Json, Say, connected, print_json, progress, show_table
from promptsales.errors import ConfigError
from promptsales.quality.junit import write_junit
from promptsales.quality.verdict import Verdict
from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts

app = typer.Typer()


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="names of feeds, streamed tables or marts")] = None,
    every: Annotated[bool, typer.Option("--all", help="check all feeds, streamed tables and marts")] = False,
    junit: Annotated[Path | None, typer.Option(help="write the results as JUnit XML, after each table")] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="stop after the first table with a failed rule")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the suites of tables over all their rows. Exit code 1 when a rule fails that is not a warning.

    A rule that takes longer than PROMPTSALES_LOOK_TIMEOUT_MINUTES has failed.
    """
    chosen = _choose(names or [], every)
    results: dict[str, list[Verdict]] = {}
    with progress("checking") as (say, note), connected("warehouse", "look") as warehouse:
        for table, verdicts, seconds in _check(chosen, warehouse, datetime.now(UTC), say):
            results[table] = verdicts
            note(f"{table}: {_count(verdicts)}, {seconds:.1f} s")
            if junit:
                write_junit(junit, results)
            if fail_fast and _has_failed(verdicts):
                break
    rows: list[dict[str, Any]] = [verdict.summary(table) for table, verdicts in results.items() for verdict in verdicts]
    if as_json:
        print_json(rows)
    else:
        show_table("checks", rows[0].keys() if rows else (), (row.values() for row in rows))
    if any(map(_has_failed, results.values())):
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


def _check(
    chosen: list[str], warehouse: psycopg.Connection, now: datetime, say: Say
) -> Iterator[tuple[str, list[Verdict], float]]:
    """Yield each table with its verdicts and how long its suite took, in seconds."""
    # imported here because Great Expectations takes seconds to import
    from promptsales.monitoring.feed_checks import check_feeds
    from promptsales.quality.tables import audit_table

    feeds = [name for name in chosen if name in contracts()]
    warnings = check_feeds(warehouse, feeds, now)
    for number, name in enumerate(chosen, 1):
        say(f"checking {name} ({number} of {len(chosen)})")
        began = time.monotonic()
        verdicts = [*audit_table(name, warehouse, now), *warnings.get(name, ())]
        yield name, verdicts, time.monotonic() - began


def _count(verdicts: Sequence[Verdict]) -> str:
    """Return how many rules were judged, and what is wrong, as ``33 rules, 1 failed, 2 warned``."""
    counts = Counter(verdict.result for verdict in verdicts)
    wrong = [f"{counts[result]} {result}" for result in ("failed", "warned") if counts[result]]
    return ", ".join([f"{len(verdicts)} rules", *(wrong or ["all passed"])])


def _has_failed(verdicts: Sequence[Verdict]) -> bool:
    return any(verdict.result == "failed" for verdict in verdicts)
