"""Faust without anything of ours around it: one app a scenario, which says on its output what reaches its agent.

``python -m tests.faults.faust_alone SCENARIO BROKER FOLDER``; topic and group are called like the scenario.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import faust

BAD, SAID = b'"bad"', "said: "


class Item(faust.Record):
    """A typed value."""

    n: int


def create_app(name: str, broker: str, **settings: Any) -> faust.App:
    """Faust as our workers have it."""
    return faust.App(
        name,
        broker=f"kafka://{broker}",
        store="memory://",
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_commit_interval=0.5,
        broker_session_timeout=12,
        broker_heartbeat_interval=3,
        broker_request_timeout=40,
        web_enabled=False,
        **{"stream_wait_empty": True, **settings},
    )


def say(value: Any) -> None:
    """Tell whoever looks, on a line of our own: Faust writes there too."""
    print(f"\n{SAID}{value.decode() if isinstance(value, bytes) else value}", flush=True)


def topic(app: faust.App, name: str) -> Any:
    """The bytes of the scenario's topic."""
    return app.topic(name, value_type=bytes, value_serializer="raw")


def plain(app: faust.App, name: str) -> None:
    """An exception leaves a plain agent."""

    @app.agent(topic(app, name))
    async def agent(stream: Any) -> None:
        async for value in stream:
            say(value)
            if value == BAD:
                raise ValueError("bad")


def taken(app: faust.App, name: str) -> None:
    """An exception leaves an agent that takes batches."""

    @app.agent(topic(app, name))
    async def agent(stream: Any) -> None:
        async for values in stream.take(2, within=30):
            for value in values:
                say(value)
            if BAD in values:
                raise ValueError("bad")


def unacknowledged(app: faust.App, name: str) -> None:
    """Some events are never acknowledged."""

    @app.agent(topic(app, name))
    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            say(event.value)
            if event.value != BAD:
                await stream.ack(event)


def typed(app: faust.App, name: str, value_type: type = Item) -> None:
    """Faust decodes the values."""

    @app.agent(app.topic(name, value_type=value_type, value_serializer="json"))
    async def agent(stream: Any) -> None:
        async for value in stream:
            say(value.n)


def untyped(app: faust.App, name: str) -> None:
    """Faust decodes the values, as plain dictionaries."""
    typed(app, name, dict)


def ended(app: faust.App, name: str) -> None:
    """SIGTERM comes while a batch is worked on."""

    @app.agent(topic(app, name))
    async def agent(stream: Any) -> None:
        async for values in stream.take(3, within=30):
            say(f"{len(values)} begun")
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(2)
            say(f"{len(values)} done")


AGENTS: dict[str, Callable[[faust.App, str], None]] = {
    "plain": plain,
    "taken": taken,
    "hole": unacknowledged,
    "head": unacknowledged,
    "fresh": unacknowledged,
    "record": typed,
    "tombstone": typed,
    "dictionary": untyped,
    "ended": ended,
    "cut-off": ended,
}


def main(name: str, broker: str, folder: str) -> None:
    """Work until told to stop; Faust keeps what it writes in the folder."""
    app = create_app(name, broker, datadir=f"{folder}/{name}-data", stream_wait_empty=name != "cut-off")
    AGENTS[name](app, name)
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
