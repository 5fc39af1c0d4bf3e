"""`promptsales pii rotate | erase`: another hashing key, and a person forgotten."""

from typing import Annotated

import typer

from promptsales.cli import load
from promptsales.cli.output import Json, connected, forget_responses, group, print_json, show_line, show_table
from promptsales.errors import ConfigError
from promptsales.privacy import erasure, person, rotation
from promptsales.settings import settings

app, commands = group("pii", "Personal data: change the hashing key, erase a person.")


@commands.command()
def rotate(
    bridge_days: Annotated[int, typer.Option(min=0, help="how long old hashes can be translated to new ones")] = 30,
    status: Annotated[bool, typer.Option("--status", help="say where a rotation stands; change nothing")] = False,
    as_json: Json = False,
) -> None:
    """Hash with a new key: switch every source database, load every hashed feed anew. Killed anywhere, run it again."""
    if not status:
        rotation.rotate(
            settings(), bridge_days, lambda feed: load.load_feed(feed, None, "cli:pii rotate"), _tell(as_json)
        )
    with connected("warehouse", "look") as warehouse:
        newest = rotation.read_newest(warehouse)
        found = list(rotation.list_steps(settings(), warehouse, newest)) if newest else []
        bridges = rotation.list_bridges(warehouse)
    if as_json:
        print_json({
            "rotation": newest and {name: value for name, value in newest._asdict().items() if name != "check_hmac"},
            "steps": [step._asdict() for step in found],
            "bridges": [bridge._asdict() for bridge in bridges],
        })  # fmt: skip
        return
    show_line(rotation.describe(newest, found))
    show_table(
        "keys", ("what", "hashes with key", "done"), ((s.what, s.kid, "yes" if s.is_done else "no") for s in found)
    )
    if bridges:
        show_table("bridges from old hashes to new ones", rotation.Bridge._fields, bridges)


def _tell(is_quiet: bool) -> rotation.Tell:
    return (lambda what: None) if is_quiet else show_line


@commands.command()
def erase(
    who: Annotated[str, typer.Argument(help="an id of the CRM, or a keyed hash in hex; never an e-mail address")],
    feed: Annotated[str | None, typer.Option(help="whose id it is, where no row has it yet")] = None,
    follow_phone: Annotated[bool, typer.Option(help="--no-follow-phone where several share a phone number")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list what would be erased; change nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: Json = False,
) -> None:
    """Erase a person from every table of the warehouse, keep them out for good, and prove it by a search."""
    if as_json and not (yes or dry_run):
        raise ConfigError("--json asks nobody: look with --dry-run, then say --yes")
    with connected("warehouse_admin") as warehouse:
        found = person.find(warehouse, who, feed, follow_phone)
        if not as_json:
            show_table("of this person", ("feed", "id", "where", "found by"), found.listed)
        if dry_run:
            print_json([row._asdict() for row in found.listed]) if as_json else None
            return
        if not yes:
            typer.confirm(f"erase these {len(found.listed)} rows for good", abort=True)
        report = erasure.erase(warehouse, found)
    forget_responses([change.table for change in report.changes])
    if as_json:
        print_json(report._asdict())
        return
    show_table("erased", ("table", "what", "rows"), report.changes)
    show_line(
        f"searched {report.columns} columns of {report.tables} tables for {report.needles} ids and hashes: "
        f"{report.left} rows hold one"
    )
