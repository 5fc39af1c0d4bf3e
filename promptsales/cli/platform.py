"""`promptsales provision`, `register` and `topics`: apply the schemas of the repository to the systems."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

import typer

from promptsales.airflow_client.api import AirflowClient
from promptsales.airflow_client.registration import register as register_with
from promptsales.bus import topics as bus
from promptsales.cli.output import Json, group, print_json, show_line, show_table, working
from promptsales.provision import ProvisionChange
from promptsales.provision import provision as provision_all
from promptsales.settings import settings

app, topics = group("topics", "Kafka's topics, defined in schemas/kafka/topics.yml.")

# changes listed per system; the rest is only counted
_SHOWN = 4


@app.command()
def provision(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list what would change; change nothing")] = False,
    as_json: Json = False,
) -> None:
    """Create or update every system's schemas, roles, keys and topics to match the files; never delete data."""
    with working("") as report:
        changes = provision_all(settings(), report, dry_run)
    if as_json:
        print_json([change.model_dump() for change in changes])
    else:
        show_changes("would be changed" if dry_run else "changed", changes)


@app.command()
def register() -> None:
    """Create the connections and pools that the DAGs use in Airflow; edits made in Airflow are kept."""
    with AirflowClient(settings().address("airflow")) as airflow:
        register_with(airflow, settings())
        show_line(f"registered with {airflow.address}")


def show_changes(title: str, changes: Iterable[ProvisionChange]) -> None:
    """Print one row per system, and the warnings in a table of their own."""
    by_system: dict[str, list[str]] = defaultdict(list)
    warnings = []
    for change in changes:
        if change.is_warning:
            warnings.append((change.system, change.what))
        else:
            by_system[change.system].append(change.what)
    if by_system:
        rows = ((system, len(lines), _shorten(lines)) for system, lines in by_system.items())
        show_table(title, ("system", "changes", "what"), rows)
    elif not warnings:
        show_line("nothing to do: every system matches the files")
    if warnings:
        show_table("needs attention", ("system", "what"), warnings)


def _shorten(lines: list[str]) -> list[str]:
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return lines[:_SHOWN] + more


@topics.command("plan")
def plan(as_json: Json = False) -> None:
    """List what `topics apply` would do."""
    _show_plan("would be done", bus.plan(bus.admin(settings().address("kafka"))), as_json)


@topics.command("apply")
def apply(as_json: Json = False) -> None:
    """Create missing topics, add partitions, change configurations; never delete anything."""
    client = bus.admin(settings().address("kafka"))
    changes = bus.plan(client)
    bus.apply(client, changes)
    _show_plan("done", changes, as_json)


def _show_plan(title: str, changes: list[bus.TopicChange], as_json: bool) -> None:
    if as_json:
        print_json([change.model_dump() for change in changes])
    elif changes:
        rows = (
            (change.topic, change.action, change.what, "needs attention" if change.is_warning else "")
            for change in changes
        )
        show_table(title, ("topic", "action", "what", ""), rows)
    else:
        show_line("nothing to do: the topics match the file")
