"""`promptsales quarantine list | show | release`."""

from typing import Annotated

import typer

from promptsales.cli.output import Json, Limit, connected, group, print_json, show_line, show_table
from promptsales.feeds import manual_release
from promptsales.settings import settings
from promptsales.specs.stream import stream_contracts

app, commands = group("quarantine", "Rows that broke a rule: list them, look at one, release one.")

Id = Annotated[int, typer.Argument(help="the id that `quarantine list` shows")]


@commands.command("list")
def list_(
    feed: Annotated[str | None, typer.Argument(help="one feed; all when left out")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """The open rows: counted by rule, then one by one."""
    with connected("warehouse", "look") as warehouse:
        counts, rows = manual_release.count_by_rule(warehouse), manual_release.list_open_rows(warehouse, feed, limit)
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    show_table("by rule", manual_release.RuleCount._fields, (count for count in counts if feed in (None, count.feed)))
    show_table(
        "rows", manual_release.QuarantinedRow._fields, ((*row[:3], ", ".join(row.rules), *row[4:]) for row in rows)
    )


@commands.command()
def show(quarantine_id: Id) -> None:
    """One row, as core would hold it, and the rules it broke."""
    with connected("warehouse", "look") as warehouse:
        print_json(manual_release.read_row(warehouse, quarantine_id))


@commands.command()
def release(quarantine_id: Id) -> None:
    """Publish a row in spite of the rules: a streamed one now, any other with its feed's next load.

    If the source changes the row before, the changed row is judged anew.
    """
    with connected("warehouse") as warehouse:
        feed = manual_release.read_feed(warehouse, quarantine_id)
        if contract := stream_contracts().get(feed):
            from promptsales.stream.waive import waive

            waive(settings(), contract, quarantine_id)
            show_line(
                f"row {quarantine_id} is in {contract.layer}.{feed} now; a newer version from the source replaces it"
            )
            return
        manual_release.release(warehouse, quarantine_id)
    show_line(f"row {quarantine_id} is published by the next load of {feed}: `promptsales load {feed}` does it now")
