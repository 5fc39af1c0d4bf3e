"""`promptsales reconcile`: source against warehouse."""

from typing import Annotated

import typer

from promptsales import contracts
from promptsales.cli.output import Json, connected, forget_responses, print_json, show_line, show_table, working
from promptsales.contracts import Contract
from promptsales.errors import ConfigError
from promptsales.load.steps import load
from promptsales.reconcile.original import is_comparable
from promptsales.reconcile.settle import Reconciliation
from promptsales.reconcile.settle import reconcile as reconcile_feed
from promptsales.settings import settings
from promptsales.sources import opened

app = typer.Typer()

TRIGGERED_BY = "cli:reconcile"


@app.command()
def reconcile(
    feeds: Annotated[list[str] | None, typer.Argument(help="feeds, by the names of their core tables")] = None,
    every: Annotated[bool, typer.Option("--all", help="all feeds that can be compared")] = False,
    accept_gone: Annotated[bool, typer.Option(help="soft-delete even where very many rows are gone")] = False,
    as_json: Json = False,
) -> None:
    """Compare feeds with their sources; soft-delete what is gone, load what is missing or differs."""
    if bool(feeds) == every:
        raise ConfigError(f"name feeds or say --all; feeds are {', '.join(contracts.contracts())}")
    chosen = [contracts.contract(name) for name in feeds or contracts.contracts()]
    if every:
        chosen = [contract for contract in chosen if is_comparable(contract)]
    with working("") as tell:
        results = []
        for contract in chosen:
            tell(f"{contract.table}: compare")
            results.append((contract.table, _reconcile(contract, accept_gone)))
    found = [result for _, result in results if result]
    if as_json:
        print_json([result._asdict() for result in found])
        return
    # in words, a narrow column breaks its name between them
    show_table("source against warehouse", (name.replace("_", " ") for name in Reconciliation._fields), found)
    for feed in (feed for feed, result in results if result is None):
        show_line(f"{feed} was never loaded: nothing to compare")


def _reconcile(contract: Contract, accept_gone: bool) -> Reconciliation | None:
    """Compare one feed; what it found wrong is loaded at once."""
    with opened(settings(), contract) as source, connected("warehouse") as warehouse:
        result = reconcile_feed(contract, source, warehouse, TRIGGERED_BY, settings().limits, accept_gone)
        if result and result.to_reread:
            load(contract, source, warehouse, None, TRIGGERED_BY, settings().limits)
    if result and (result.deleted or result.to_reread):
        forget_responses([f"core.{contract.table}"])
    return result
