"""`promptsales connectors plan | apply | status | snapshot`: what Debezium follows."""

from typing import Annotated

import typer

from promptsales.cli.output import Json, group, print_json, show_line, show_table
from promptsales.errors import ConfigError
from promptsales.monitoring.stream_status import following
from promptsales.settings import settings
from promptsales.stream import connectors

app, commands = group("connectors", "Debezium's connectors, as schemas/kafka/connectors says.")


@commands.command()
def plan(as_json: Json = False) -> None:
    """Say what `connectors apply` would do."""
    _show("would be done", connectors.plan(settings()), as_json)


@commands.command()
def apply(as_json: Json = False) -> None:
    """Create missing connectors, bring their configuration to what the files say, restart a failed one."""
    _show("done", connectors.apply(settings()), as_json)


@commands.command()
def status(as_json: Json = False) -> None:
    """How each connector is, and how far behind in three hops: slot, bus, last applied commit."""
    found = [one.status.model_dump() | one.lag._asdict() for one in following(settings())]
    if as_json:
        print_json(found)
        return
    columns = ("connector", "state", "task", "epoch", "slot_bytes", "events", "source_at", "trouble")
    titles = (*columns[:4], "behind in the slot, bytes", "events on the bus", "last commit applied", "trouble")
    show_table("connectors", titles, ([one[column] for column in columns] for one in found))


@commands.command()
def snapshot(connector: Annotated[str, typer.Argument(help="promptads or promptcrm")]) -> None:
    """Read a source anew under a new epoch: after a lost slot, or when the source was restored or replaced."""
    name = next((known for known in connectors.names() if known == connector), None)
    if name is None:
        raise ConfigError(f"no connector is called {connector!r}; connectors are {', '.join(connectors.names())}")
    epoch = connectors.snapshot_again(settings(), name)
    show_line(
        f"{name} reads everything anew as epoch {epoch}; its rows replace the older ones, nothing is counted twice"
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
        show_line("nothing to do: the connectors are as the files say")
