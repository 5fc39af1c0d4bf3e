"""`promptsales freshness`: show how far each feed or streamed table is complete."""

from datetime import timedelta

import typer

from promptsales.cli.output import Json, connected, print_json, show_table
from promptsales.monitoring.freshness import freshness as read_freshness

app = typer.Typer()


@app.command()
def freshness(as_json: Json = False) -> None:
    """Show how far each feed or streamed table is complete, and what holds its watermark back."""
    with connected("warehouse", "look") as warehouse:
        feeds = read_freshness(warehouse)
    if as_json:
        print_json([{**feed._asdict(), "state": feed.state} for feed in feeds])
        return
    columns = ("feed", "state", "complete through", "age", "watermark", "held by", "held since")
    rows = (
        (f.feed, f.state, f.complete_through, _whole_seconds(f.age), f.last_sync_timestamp, f.held_by, f.held_since)
        for f in feeds
    )
    show_table("freshness", columns, rows)


def _whole_seconds(age: timedelta | None) -> str | None:
    return str(age).split(".")[0] if age is not None else None
