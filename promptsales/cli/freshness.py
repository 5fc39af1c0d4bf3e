"""`promptsales freshness`: show how far each feed or streamed table is complete."""

from datetime import timedelta
from typing import Any

import typer

from promptsales.cli.output import Json, connected, print_json, show_table
from promptsales.monitoring.freshness import Freshness
from promptsales.monitoring.freshness import freshness as read_freshness

app = typer.Typer()
_COLUMNS = ("feed", "state", "complete_through", "age", "watermark", "held_by", "held_since")


@app.command()
def freshness(as_json: Json = False) -> None:
    """Show how far each feed or streamed table is complete, and what holds its watermark back."""
    with connected("warehouse", "look") as warehouse:
        feeds = read_freshness(warehouse)
    if as_json:
        print_json([dict(zip(_COLUMNS, _values(feed), strict=True)) for feed in feeds])
        return
    show_table("freshness", (column.replace("_", " ") for column in _COLUMNS), map(_values, feeds))


def _values(feed: Freshness) -> tuple[Any, ...]:
    age = feed.age and timedelta(seconds=int(feed.age.total_seconds()))
    return (
        feed.feed, feed.state, feed.complete_through, age, feed.last_sync_timestamp, feed.held_by, feed.held_since,
    )  # fmt: skip
