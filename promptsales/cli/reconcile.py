"""`promptsales reconcile`: compare sources with the warehouse and repair differences."""

from typing import Annotated

import typer

from promptsales.cli.output import Json, connected, forget_responses, print_json, show_line, show_table, working
from promptsales.errors import ConfigError
from promptsales.extract.opening import open_source
from promptsales.load.steps import load
from promptsales.reconcile.original import is_comparable
from promptsales.reconcile.settle import Reconciliation
from promptsales.reconcile.settle import reconcile as reconcile_feed
from promptsales.settings import Limits, settings
from promptsales.specs import feed as contracts
from promptsales.specs.feed import Contract
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.stream.connectors import audit_of

app = typer.Typer()

TRIGGERED_BY = "cli:reconcile"


@app.command()
def reconcile(
    feeds: Annotated[list[str] | None, typer.Argument(help="names of feeds and streamed tables")] = None,
    every: Annotated[bool, typer.Option("--all", help="all feeds and streamed tables that can be compared")] = False,
    accept_gone: Annotated[
        bool, typer.Option("--accept-gone", help=f"soft-delete even if {Limits()} are gone (the default limits)")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare tables with their sources; soft-delete rows that are gone, and repair those missing or different."""
    chosen = _choose(feeds or [], every)
    with working("") as report:
        results: dict[str, Reconciliation | None] = {}
        for contract in chosen:
            report(f"{contract.table}: compare")
            results[contract.table] = _reconcile(contract, accept_gone)
    compared = [result for result in results.values() if result]
    if as_json:
        print_json([result._asdict() for result in compared])
        return
    # spaces instead of underscores, so that a narrow column wraps its title
    show_table("source against warehouse", (name.replace("_", " ") for name in Reconciliation._fields), compared)
    for feed in (feed for feed, result in results.items() if result is None):
        show_line(f"{feed} was never loaded, so there is nothing to compare")


def _choose(names: list[str], every: bool) -> list[Contract | StreamContract]:
    known: dict[str, Contract | StreamContract] = {**contracts.contracts(), **stream_contracts()}
    allowed = f"feeds are {', '.join(contracts.contracts())}; streamed tables are {', '.join(stream_contracts())}"
    if bool(names) == every:
        raise ConfigError(f"name feeds or streamed tables, or pass --all; {allowed}")
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"no feed or streamed table is called {unknown[0]!r}; {allowed}")
    if every:
        return [spec for spec in known.values() if isinstance(spec, StreamContract) or is_comparable(spec)]
    return [known[name] for name in names]


def _reconcile(contract: Contract | StreamContract, accept_gone: bool) -> Reconciliation | None:
    """Compare one feed or streamed table, and repair its differences."""
    if isinstance(contract, StreamContract):
        result, layer = _reconcile_table(contract, accept_gone), contract.layer
    else:
        result, layer = _reconcile_feed(contract, accept_gone), "core"
    if result and result.has_changed:
        forget_responses([f"{layer}.{contract.table}"])
    return result


def _reconcile_feed(contract: Contract, accept_gone: bool) -> Reconciliation | None:
    with open_source(settings(), contract) as source, connected("warehouse") as warehouse:
        result = reconcile_feed(contract, source, warehouse, TRIGGERED_BY, settings().limits, accept_gone)
        if result and result.to_reread:
            load(contract, source, warehouse, None, TRIGGERED_BY, settings().limits)
    return result


def _reconcile_table(contract: StreamContract, accept_gone: bool) -> Reconciliation | None:
    from promptsales.reconcile.streamed import reconcile as reconcile_table

    with connected(audit_of(contract.source.system)) as source, connected("warehouse") as warehouse:
        return reconcile_table(settings(), contract, source, warehouse, TRIGGERED_BY, accept_gone)
