"""`promptsales quarantine list | show | release`: handle rows that broke a rule."""

from collections.abc import Iterable
from datetime import UTC
from typing import Annotated, Any

import typer

from promptsales.cli.output import Json, Limit, connected, group, print_json, show_line, show_table
from promptsales.feeds import manual_release
from promptsales.feeds.manual_action import decide_as_user
from promptsales.settings import settings
from promptsales.specs.stream import stream_contracts

app, commands = group("quarantine", "Rows that broke a rule: list, show, release.")

Id = Annotated[int, typer.Argument(help="the id shown by `quarantine list`")]


@commands.command("list")
def list_(
    feed: Annotated[str | None, typer.Argument(help="feed or streamed table; default: all")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the rows in quarantine: counts by rule, then the rows."""
    with connected("warehouse", "look") as warehouse:
        counts, rows = manual_release.count_by_rule(warehouse), manual_release.list_open_rows(warehouse, feed, limit)
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    show_table("by rule", manual_release.RuleCount._fields, (count for count in counts if feed in (None, count.feed)))
    show_rows(rows)


def show_rows(rows: Iterable[manual_release.QuarantinedRow]) -> None:
    """Print rows in quarantine; ids and keys stay whole on a narrow terminal."""
    columns = ("id", "feed and key", "rules", "first seen", "tries", "note")
    show_table("rows", columns, map(_cells, rows), whole=columns[:2])


def _cells(row: manual_release.QuarantinedRow) -> tuple[Any, ...]:
    seen = row.first_seen_at.astimezone(UTC)
    notes = [text for text, holds in (("core is stale", row.is_core_stale), ("released", row.is_waived)) if holds]
    return (
        row.quarantine_id,
        [row.feed, row.key],
        row.rules,
        [f"{seen:%Y-%m-%d}", f"{seen:%H:%M:%SZ}"],
        row.tries,
        notes,
    )


@commands.command()
def show(quarantine_id: Id) -> None:
    """Show one row as core would store it, and the rules it broke."""
    with connected("warehouse", "look") as warehouse:
        print_json(manual_release.read_row(warehouse, quarantine_id))


@commands.command()
def release(
    quarantine_id: Id,
    reason: Annotated[str | None, typer.Option(help="why; recorded with your name in ops.manual_action")] = None,
) -> None:
    """Publish a row although it broke rules: a streamed row now, any other row with the next load of its feed.

    If the row changes at the source before that, the changed row is checked again.
    """
    decision = decide_as_user(reason)
    with connected("warehouse") as warehouse:
        feed = manual_release.read_feed(warehouse, quarantine_id)
        if contract := stream_contracts().get(feed):
            from promptsales.stream.waive import waive

            waive(settings(), contract, quarantine_id, decision)
            show_line(
                f"row {quarantine_id} is now in {contract.layer}.{feed}; a newer version from the source replaces it"
            )
            return
        manual_release.release(warehouse, quarantine_id, decision)
    show_line(
        f"row {quarantine_id} is published by the next load of {feed}; run `promptsales load {feed}` to do it now"
    )
