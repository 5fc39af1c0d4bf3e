"""`promptsales load`: load feeds without Airflow, with the same code."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from promptsales.cli.output import Json, connected, forget_responses, print_json, show_table, working
from promptsales.errors import PipelineError, TerminalError
from promptsales.feeds.models import LoadResult, Window, make_window
from promptsales.settings import settings
from promptsales.specs import feed
from promptsales.specs.feed import Contract

app = typer.Typer()

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
Start = Annotated[datetime | None, typer.Option(formats=_FORMATS, help="first moment to replay, inclusive, UTC")]
End = Annotated[datetime | None, typer.Option(formats=_FORMATS, help="end of the replay, exclusive, UTC")]


@app.command()
def load(
    feeds: Annotated[list[str], typer.Argument(help="feeds, named like their core tables")],
    start: Start = None,
    end: End = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be read; write nothing")] = False,
    as_json: Json = False,
) -> None:
    """Load the rows of feeds that changed since the watermark, or exactly those changed from --start to --end."""
    window = window_of(start, end)
    chosen = [feed.contract(name) for name in feeds]
    if dry_run:
        rows = [_look(contract, window) for contract in chosen]
        print_json(rows) if as_json else show_table("would read", rows[0], (row.values() for row in rows))
        return
    results, errors = [], []
    with working("") as status:
        for contract in chosen:
            try:
                results.append(load_feed(contract, window, "cli:load", status))
            except PipelineError as error:  # the other feeds are still loaded
                errors.append(error)
    if as_json:
        print_json([result.model_dump() for result in results])
    elif results:
        extracted = sum(result.extracted for result in results)
        show_results(f"{window}: {extracted} rows" if window else "loaded", results)
    if errors:
        raise errors[0] if len(errors) == 1 else TerminalError("; ".join(map(str, errors)))


def window_of(start: datetime | None, end: datetime | None) -> Window | None:
    """Return the window from --start to --end, None for neither; a time without a zone is UTC.

    Raises:
        ConfigError: when only one is given, the start is not before the end, or it is in the future.
    """
    if start is None and end is None:
        return None
    return make_window(_as_utc(start), _as_utc(end), datetime.now(UTC))


def _as_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment


def show_results(title: str, results: Iterable[LoadResult]) -> None:
    """Print one row per load; every command that loads feeds uses this table."""
    counts = ("extracted", "inserted", "updated", "unchanged", "quarantined", "suppressed")
    rows = (
        (result.feed, *(getattr(result, name) for name in counts), result.complete_through, _checks(result))
        for result in results
    )
    show_table(title, ("feed", *counts, "complete through", "checks passed"), rows)


def _checks(result: LoadResult) -> str:
    total = result.checks_passed + result.checks_failed
    return f"{result.checks_passed} of {total}" if total else "nothing to check"


def load_feed(
    contract: Contract, window: Window | None, triggered_by: str, tell: Callable[[str], None] = lambda step: None
) -> LoadResult:
    """Load one feed through the connections of the settings; raise the errors of ``load.steps.load``."""
    from promptsales.extract.opening import open_source
    from promptsales.load.steps import load as run

    def report(step: str) -> None:
        tell(f"{contract.table}: {step}")

    with open_source(settings(), contract) as source, connected("warehouse") as warehouse:
        result = run(contract, source, warehouse, window, triggered_by, settings().limits, report)
    forget_responses([f"core.{contract.table}"])
    return result


def _look(contract: Contract, window: Window | None) -> dict[str, Any]:
    from promptsales.extract.opening import open_source
    from promptsales.load.steps import preview

    with open_source(settings(), contract) as source, connected("warehouse") as warehouse:
        return {"feed": contract.table, **preview(contract, source, warehouse, window)._asdict()}
