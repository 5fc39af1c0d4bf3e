"""`promptsales freshness`."""

import typer

from promptsales.cli.output import Json, connected, print_json, show_table
from promptsales.monitoring.freshness import freshness as read_freshness

app = typer.Typer()


@app.command()
def freshness(as_json: Json = False) -> None:
    """How far each feed is complete, and what holds it."""
    with connected("warehouse", "look") as warehouse:
        found = read_freshness(warehouse)
    if as_json:
        print_json([{**feed._asdict(), "state": feed.state} for feed in found])
        return
    columns = ("feed", "state", "complete through", "age", "watermark", "held by", "held since")
    rows = (
        (f.feed, f.state, f.complete_through, _minutes(f.age), f.last_sync_timestamp, f.held_by, f.held_since)
        for f in found
    )
    show_table("freshness", columns, rows)


def _minutes(age: object) -> str | None:
    return str(age).split(".")[0] if age is not None else None
