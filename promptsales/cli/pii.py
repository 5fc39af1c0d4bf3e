"""`promptsales pii rotate | erase`: change the hashing key, and erase a person."""

from typing import Annotated

import psycopg
import typer

from promptsales.cli import load
from promptsales.cli.output import Json, connected, forget_responses, group, print_json, show_line, show_table
from promptsales.cli.report import write as write_report
from promptsales.errors import ConfigError
from promptsales.privacy import erasure, person, rotation, scope
from promptsales.settings import settings

app, commands = group("pii", "Personal data: change the hashing key, erase a person.")


@commands.command()
def rotate(
    bridge_days: Annotated[int, typer.Option(min=0, help="days for which old hashes can be mapped to new ones")] = 30,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="others may know the old key: translate nothing, delete all bridges")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="show the state of a rotation; change nothing")] = False,
    as_json: Json = False,
) -> None:
    """Switch every source database to a new hashing key and reload every hashed feed. If interrupted, run it again."""
    if not status:
        report = (lambda step: None) if as_json else show_line
        days = 0 if compromised else bridge_days
        rotation.rotate(
            settings(), days, lambda feed: load.load_feed(feed, None, "cli:pii rotate"), report, compromised
        )
    with connected("warehouse", "look") as warehouse:
        newest = rotation.read_newest(warehouse)
        steps = list(rotation.list_steps(settings(), warehouse, newest)) if newest else []
        bridges = rotation.list_bridges(warehouse)
    if as_json:
        print_json({
            "rotation": newest and {key: value for key, value in newest._asdict().items() if "check" not in key},
            "steps": [step._asdict() for step in steps],
            "bridges": [bridge._asdict() for bridge in bridges],
        })  # fmt: skip
        return
    show_line(rotation.describe(newest, steps))
    rows = ((step.what, step.kid, "yes" if step.is_done else "no") for step in steps)
    show_table("keys", ("step", "key", "done"), rows)
    if bridges:
        show_table("bridges from old hashes to new ones", rotation.Bridge._fields, bridges)


@commands.command()
def erase(
    who: Annotated[str, typer.Argument(help="an id of the source, or a keyed hash in hex; never an e-mail address")],
    feed: Annotated[str | None, typer.Option(help="the feed of the id, when no row of the warehouse has it")] = None,
    follow_phone: Annotated[
        bool, typer.Option(help="also follow the phone number; turn off when several people share it")
    ] = True,
    follow_email: Annotated[
        bool, typer.Option(help="also follow the e-mail address; turn off when it is made up, such as none@none.com")
    ] = True,
    follow_click: Annotated[
        bool, typer.Option(help="also follow the click id; turn off when several people share it")
    ] = True,
    expect: Annotated[
        int | None, typer.Option(min=1, help="erase this number of ids, even if it is more than one person has")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list what would be erased; change nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask for confirmation")] = False,
    as_json: Json = False,
) -> None:
    """Erase a person from every table of the warehouse for good, and search all tables to verify it."""
    if as_json and not (yes or dry_run):
        raise ConfigError("--json cannot ask for confirmation: check with --dry-run, then pass --yes")
    chosen = {"email_hmac": follow_email, "phone_hmac": follow_phone, "click_id_hmac": follow_click}
    follow = frozenset(kind for kind, is_followed in chosen.items() if is_followed)
    with connected("warehouse_admin") as warehouse:
        match = person.find(warehouse, who, feed, follow)
        if as_json and dry_run:
            print_json([row._asdict() for row in match.listed])
            return
        if not as_json:
            _show_scope(match)
        if dry_run:
            _preview(warehouse, match, expect)
            return
        scope.refuse_ids(match, expect)
        if not yes:
            typer.confirm(f"permanently erase these {len(match.listed)} rows of {len(match.keys)} ids", abort=True)
        report = erasure.erase(warehouse, match, expect)
    forget_responses([change.table for change in report.changes])
    # it shows the start of users' ids
    if (page := settings().state / "report.html").exists():
        write_report(page)
    if as_json:
        print_json(report._asdict())
        return
    show_table("erased", ("table", "what", "rows"), report.changes)
    show_line(
        f"searched {report.columns} columns of {report.tables} tables for {report.needles} ids and hashes: "
        f"{report.left} rows still hold one"
    )


def _show_scope(match: person.Person) -> None:
    """Show the person's rows, and which hashes connect their ids."""
    show_table("rows of this person", ("feed", "id", "where", "matched by"), match.listed[:_MOST_LISTED], ("id",))
    if left := match.listed[_MOST_LISTED:]:
        show_line(f"and {len(left)} more rows; --dry-run --json lists all of them")
        show_table("rows by feed", ("feed", "where", "rows"), scope.count_by_feed(match))
    if shared := scope.shared_hashes(match)[:_MOST_LISTED]:
        rows = ((person.KINDS[item.kind], item.digest, item.ids) for item in shared)
        show_table("hashes that connect ids", ("hash of", "hash", "ids"), rows)


def _preview(warehouse: psycopg.Connection, match: person.Person, expect: int | None) -> None:
    """Show the rows that name the person by table, and say whether the erasure would be refused."""
    scope.refuse_ids(match, expect)
    rows = list(scope.count_rows(warehouse, match))
    show_table("rows that would be deleted or changed", ("table", "rows"), rows)
    if expect is None:
        scope.refuse_rows(rows, len(match.keys))
    show_line(f"ids to erase: {len(match.keys)}")


# rows of a table in the terminal; more cannot be read
_MOST_LISTED = 20
