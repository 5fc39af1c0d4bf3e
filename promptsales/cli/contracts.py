"""`promptsales contracts new | diff`."""

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

app, commands = group("contracts", "Draft a contract from a live table; tell what a change does.")

System = Literal["promptsales", "promptcrm"]
SYSTEMS: tuple[System, ...] = ("promptsales", "promptcrm")


@commands.command()
def new(
    relation: Annotated[str, typer.Argument(help="a table of a source, with its schema: crm.leads")],
    system: Annotated[System | None, typer.Option(help="which source; looked for in all when left out")] = None,
    write: Annotated[bool, typer.Option("--write", help="write the feed's folder, with table and rules")] = False,
) -> None:
    """Draft a contract from a live table; what looks personal is hashed or left out, for a person to confirm."""
    table = _find(relation, (system,) if system else SYSTEMS)
    found = make_draft(table)
    if write:
        _write(table, found)
    else:
        print_text(found.contract)


def _find(relation: str, systems: tuple[System, ...]) -> LiveTable:
    there = []
    for system in systems:
        # an administrator's: a table of the source may be closed to everybody but its owner
        with connections.connected(settings(), "sources_admin", system) as source:
            there.append(read_table(source, system, relation))
    found = [table for table in there if table is not None]
    if not found:
        where = " or ".join(systems)
        raise ConfigError(f"there is no table {relation} in {where}; write schema.table as they are called, unquoted")
    if len(found) > 1:
        raise ConfigError(f"{relation} is in {' and '.join(systems)}: say which with --system")
    return found[0]


def _write(table: LiveTable, found: Draft) -> None:
    folder = CORE / table.name
    if folder.exists():
        raise ConfigError(f"{folder} is there already: a feed is drafted once; `contracts new` without --write prints")
    folder.mkdir(parents=True)
    for name, text in found.files.items():
        (folder / name).write_text(text, encoding="utf-8")
        show_line(folder.relative_to(ROOT) / name)
    show_line(f"confirm every guess, then `promptsales provision` and `promptsales load {table.name}`")


@commands.command("diff")
def diff(
    base: Annotated[str, typer.Option(help="the git revision to compare the working tree with")] = "main",
    as_json: Json = False,
) -> None:
    """Tell per feed what a change makes stricter, looser, breaking. Exit code 1 when anything is breaking."""
    files = [
        (revision.read_revision(base, name), revision.read_working_tree(name))
        for name in ("contract.yml", "expectations.yml")
    ]
    found = find_changes(files[0], files[1])
    if as_json:
        print_json([change._asdict() for change in found])
    elif found:
        show_table(f"against {base}", ContractChange._fields, found)
    else:
        show_line(f"contracts and rules are as in {base}")
    if any(change.effect == "breaking" for change in found):
        raise typer.Exit(1)
