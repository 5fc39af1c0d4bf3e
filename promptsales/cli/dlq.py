"""`promptsales dlq list | show | replay | drop`: messages that could not be decoded."""

from typing import Annotated

import typer

from promptsales.cli.output import Json, Limit, connected, group, print_json, show_line, show_table
from promptsales.settings import settings
from promptsales.stream import dead_letters
from promptsales.stream.dead_letters import MessagePosition

app, commands = group("dlq", "Messages that could not be decoded: list, look, send again, drop.")

Message = Annotated[str, typer.Argument(help="topic/partition/offset, as `dlq list` shows it")]


@commands.command("list")
def list_(
    topic: Annotated[str | None, typer.Argument(help="one topic; all when left out")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """The dead letters, the oldest first, and why each could not be decoded."""
    with connected("warehouse", "look") as warehouse:
        found = dead_letters.list_letters(warehouse, topic, limit)
    if as_json:
        print_json([letter._asdict() for letter in found])
        return
    rows = ((f"{one.topic}/{one.partition}/{one.message_offset}", one.dead_at, one.reason) for one in found)
    show_table("dead letters", ("message", "since", "why"), rows)


@commands.command()
def show(message: Message) -> None:
    """One of them, with its bytes."""
    with connected("warehouse", "look") as warehouse:
        print_json(dead_letters.show(warehouse, MessagePosition.parse(message)))


@commands.command()
def replay(message: Message) -> None:
    """Send it to its topic again: once a new version of ours can decode it, or its cause is mended."""
    with connected("warehouse") as warehouse:
        dead_letters.replay(warehouse, settings().address("kafka"), MessagePosition.parse(message))
    show_line(f"{message} was sent again; where it is still bad it comes back")


@commands.command()
def drop(message: Message) -> None:
    """Forget it; its topic of dead letters keeps it until its retention ends."""
    with connected("warehouse") as warehouse:
        dead_letters.drop(warehouse, MessagePosition.parse(message))
    show_line(f"{message} is dropped")
