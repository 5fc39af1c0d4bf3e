"""`promptsales dlq list | show | replay | drop`: handle messages that could not be decoded or stored."""

from typing import Annotated

import typer

from promptsales.cli.output import Json, Limit, connected, group, print_json, show_line, show_table
from promptsales.feeds.manual_action import decide_as_user
from promptsales.settings import settings
from promptsales.stream import dead_letter_desk
from promptsales.stream.dead_letter_desk import MessagePosition

app, commands = group("dlq", "Messages that could not be decoded or stored: list, show, replay, drop.")

Message = Annotated[str, typer.Argument(help="topic/partition/offset, as shown by `dlq list`")]

Reason = Annotated[str | None, typer.Option(help="why; recorded with your name in ops.manual_action")]


@commands.command("list")
def list_(
    topic: Annotated[str | None, typer.Argument(help="topic; default: all")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the dead letters, oldest first, and why each could not be decoded or stored."""
    with connected("warehouse", "look") as warehouse:
        letters = dead_letter_desk.list_letters(warehouse, topic, limit)
    if as_json:
        print_json([letter._asdict() for letter in letters])
        return
    rows = (
        (f"{letter.topic}/{letter.partition}/{letter.message_offset}", letter.dead_at, letter.reason)
        for letter in letters
    )
    show_table("dead letters", ("message", "since", "reason"), rows, whole=("message",))


@commands.command()
def show(message: Message) -> None:
    """Show one dead letter with its bytes."""
    with connected("warehouse", "look") as warehouse:
        print_json(dead_letter_desk.show(warehouse, MessagePosition.parse(message)))


@commands.command()
def replay(message: Message, reason: Reason = None) -> None:
    """Send a dead letter to its topic again, after an upgrade that can decode or store it, or a fix of its cause."""
    with connected("warehouse") as warehouse:
        dead_letter_desk.replay(
            warehouse, settings().address("kafka"), MessagePosition.parse(message), decide_as_user(reason)
        )
    show_line(f"{message} was sent again; if it still cannot be decoded or stored, it becomes a dead letter again")


@commands.command()
def drop(message: Message, reason: Reason = None) -> None:
    """Drop a dead letter from the list; the dead-letter topic keeps the message until its retention ends."""
    with connected("warehouse") as warehouse:
        dead_letter_desk.drop(warehouse, MessagePosition.parse(message), decide_as_user(reason))
    show_line(f"{message} was dropped")
