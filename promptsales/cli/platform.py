"""`promptsales provision`, `register` and `topics`: what the systems consist of."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

import typer

from promptsales.airflow_client.api import Airflow
from promptsales.airflow_client.registration import register as register_with
from promptsales.bus import topics as bus
from promptsales.cli.output import Json, group, print_json, show_line, show_table, working
from promptsales.provision import ProvisionChange
from promptsales.provision import provision as provision_all
from promptsales.settings import settings

app, topics = group("topics", "Kafka's topics as schemas/kafka/topics.yml names them.")

# lines a system gets before the rest is counted
_SHOWN = 4


@app.command()
def provision(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would be changed; change nothing")] = False,
    as_json: Json = False,
) -> None:
    """Bring every system's schemas, roles, keys and topics to what the files say; what is there is left alone."""
    with working("") as tell:
        changes = provision_all(settings(), tell, dry_run)
    if as_json:
        print_json([change.model_dump() for change in changes])
    else:
        show_changes("would be changed" if dry_run else "changed", changes)


@app.command()
def register() -> None:
    """Give Airflow the connections and pools that its DAGs use; what was edited there stays as it is."""
    with Airflow(settings().address("airflow")) as airflow:
        register_with(airflow, settings())
        show_line(f"registered with {airflow.address}")


def show_changes(title: str, changes: Iterable[ProvisionChange]) -> None:
    """One row a system, warnings apart."""
    done: dict[str, list[str]] = defaultdict(list)
    warnings = []
    for change in changes:
        if change.is_warning:
            warnings.append((change.system, change.what))
        else:
            done[change.system].append(change.what)
    if done:
        show_table(
            title, ("system", "changes", "what"), ((name, len(what), _short(what)) for name, what in done.items())
        )
    elif not warnings:
        show_line("nothing to do: every system is as the files say")
    if warnings:
        show_table("look at this", ("system", "what"), warnings)


def _short(what: list[str]) -> list[str]:
    more = [f"and {len(what) - _SHOWN} more"] if len(what) > _SHOWN else []
    return what[:_SHOWN] + more


@topics.command("plan")
def plan(as_json: Json = False) -> None:
    """Say what `topics apply` would do."""
    _show_plan("would be done", bus.plan(bus.admin(settings().address("kafka"))), as_json)


@topics.command("apply")
def apply(as_json: Json = False) -> None:
    """Make missing topics, add partitions, change configurations; nothing is ever deleted."""
    client = bus.admin(settings().address("kafka"))
    changes = bus.plan(client)
    bus.apply(client, changes)
    _show_plan("done", changes, as_json)


def _show_plan(title: str, changes: list[bus.TopicChange], as_json: bool) -> None:
    if as_json:
        print_json([change.model_dump() for change in changes])
    elif changes:
        rows = ((change.topic, change.action, change.what, "look" if change.is_warning else "") for change in changes)
        show_table(title, ("topic", "action", "what", ""), rows)
    else:
        show_line("nothing to do: the topics are as the file says")
