"""`promptsales connectors plan | apply | status | snapshot`: manage Debezium's connectors."""

from typing import Annotated

import typer

from promptsales.cli.output import Json, group, print_json, show_line, show_table
from promptsales.errors import ConfigError
from promptsales.monitoring.stream_status import read_connectors
from promptsales.settings import settings
from promptsales.stream import connectors

app, commands = group("connectors", "Debezium's connectors, defined in schemas/kafka/connectors.")


@commands.command()
def plan(as_json: Json = False) -> None:
    """List what `connectors apply` would do."""
    _show("would be done", connectors.plan(settings()), as_json)


@commands.command()
def apply(as_json: Json = False) -> None:
    """Create missing connectors, update those whose configuration differs from the files, restart failed ones."""
    _show("done", connectors.apply(settings()), as_json)


@commands.command()
def status(as_json: Json = False) -> None:
    """Show each connector's state and its lag at three hops: the slot, the bus, the last applied commit."""
    rows = [connector.status.model_dump() | connector.lag._asdict() for connector in read_connectors(settings())]
    if as_json:
        print_json(rows)
        return
    columns = ("connector", "state", "task", "epoch", "slot_bytes", "events", "source_at", "trouble")
    titles = (*columns[:4], "slot lag, bytes", "unread events on the bus", "last commit applied", "error")
    show_table("connectors", titles, ([row[column] for column in columns] for row in rows))


@commands.command()
def snapshot(connector: Annotated[str, typer.Argument(help="promptads or promptcrm")]) -> None:
    """Snapshot a source again, as a new epoch: after a lost slot, or when the source was restored or replaced."""
    name = next((name for name in connectors.names() if name == connector), None)
    if name is None:
        raise ConfigError(f"no connector is called {connector!r}; connectors are {', '.join(connectors.names())}")
    epoch = connectors.snapshot_again(settings(), name)
    show_line(
        f"{name} reads all rows again as epoch {epoch}; they replace the rows of earlier epochs, so no row counts twice"
    )


def _show(title: str, changes: list[connectors.ConnectorChange], as_json: bool) -> None:
    if as_json:
        print_json([change.model_dump() for change in changes])
    elif changes:
        show_table(
            title,
            ("connector", "action", "what"),
            ((change.connector, change.action, change.what) for change in changes),
        )
    else:
        show_line("nothing to do: the connectors match the files")
