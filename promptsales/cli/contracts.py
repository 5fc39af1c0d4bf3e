"""`promptsales contracts new | diff`: draft contracts, and classify changes to them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from promptsales import connections
from promptsales.authoring import revision
from promptsales.authoring.change import ContractChange, find_changes
from promptsales.authoring.draft import Draft, make_draft
from promptsales.authoring.relation import LiveTable, read_table
from promptsales.cli.output import Json, group, print_json, print_text, show_line, show_table
from promptsales.errors import ConfigError
from promptsales.settings import ROOT, settings
from promptsales.specs.feed import CORE

app, commands = group("contracts", "Draft a contract from a live table; show the effect of a change.")

System = Literal["promptsales", "promptcrm"]
SYSTEMS: tuple[System, ...] = ("promptsales", "promptcrm")


@commands.command()
def new(
    relation: Annotated[str, typer.Argument(help="a table of a source, with its schema: crm.leads")],
    system: Annotated[System | None, typer.Option(help="the source; default: search all of them")] = None,
    write: Annotated[bool, typer.Option("--write", help="write the feed's folder, with table and rules")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="write the three files to this new folder, for example to look at them first")
    ] = None,
) -> None:
    """Draft a contract from a live table. Columns that look personal are hashed or omitted; confirm each guess."""
    table = _find(relation, (system,) if system else SYSTEMS)
    drafted = make_draft(table)
    if write or folder:
        _write(table, drafted, folder or CORE / table.name)
    else:
        print_text(drafted.contract)


def _find(relation: str, systems: tuple[System, ...]) -> LiveTable:
    tables = []
    for system in systems:
        # as administrator, because only its owner may be able to read a table that no feed loads yet
        with connections.connected(settings(), "sources_admin", system) as source:
            if table := read_table(source, system, relation):
                tables.append(table)
    if not tables:
        raise ConfigError(f"no table {relation} in {' or '.join(systems)}; write schema.table without quotes")
    if len(tables) > 1:
        raise ConfigError(f"{relation} is in {' and '.join(systems)}: choose one with --system")
    return tables[0]


def _write(table: LiveTable, drafted: Draft, folder: Path) -> None:
    if folder.exists():
        raise ConfigError(
            f"{folder} already exists: name a new folder, or print the draft without --write and --folder"
        )
    folder.mkdir(parents=True)
    for name, text in drafted.files.items():
        (folder / name).write_text(text, encoding="utf-8")
        show_line((folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder) / name)
    move = "" if folder == CORE / table.name else f"move the folder to {(CORE / table.name).relative_to(ROOT)}, "
    show_line(f"confirm every guess, then {move}run `promptsales provision` and `promptsales load {table.name}`")


@commands.command("diff")
def diff(
    base: Annotated[str, typer.Option(help="the git revision to compare the working tree with")] = "main",
    as_json: Json = False,
) -> None:
    """List per feed what became stricter, looser or breaking. Exit code 1 when a change is breaking."""
    files = [
        (revision.read_revision(base, name), revision.read_working_tree(name))
        for name in ("contract.yml", "expectations.yml")
    ]
    differences = find_changes(files[0], files[1])
    if as_json:
        print_json([change._asdict() for change in differences])
    elif differences:
        show_table(f"against {base}", ContractChange._fields, differences)
    else:
        show_line(f"contracts and rules are the same as in {base}")
    if any(change.effect == "breaking" for change in differences):
        raise typer.Exit(1)
