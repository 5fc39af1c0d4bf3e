"""Run Faust without our code: one app per scenario, which prints the events that reach its agent.

``python -m tests.faults.faust_alone SCENARIO FOLDER``; topic and group have the scenario's name. The settings give the
address of Kafka, whose password must not stand among the arguments.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import faust

from promptsales.kafka_address import brokers_of
from promptsales.settings import settings
from streams.credentials import create_credentials

BAD, SAID = b'"bad"', "said: "


class Item(faust.Record):
    """A typed value of an event."""

    n: int


def create_app(name: str, **options: Any) -> faust.App:
    """Return an app with our workers' settings."""
    address = settings().address("kafka")
    return faust.App(
        name,
        broker=f"kafka://{brokers_of(address)}",
        broker_credentials=create_credentials(address),
        store="memory://",
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_commit_interval=0.5,
        broker_session_timeout=12,
        broker_heartbeat_interval=3,
        broker_request_timeout=40,
        web_enabled=False,
        **{"stream_wait_empty": True, **options},
    )


def say(value: Any) -> None:
    """Print a marked line for the test; Faust prints to the same output."""
    print(f"\n{SAID}{value.decode() if isinstance(value, bytes) else value}", flush=True)


def topic(app: faust.App, name: str) -> Any:
    """Return the scenario's topic with raw values."""
    return app.topic(name, value_type=bytes, value_serializer="raw")


def plain(app: faust.App, name: str) -> None:
    """A plain agent raises an exception."""

    @app.agent(topic(app, name))
    async def agent(stream: Any) -> None:
        async for value in stream:
            say(value)
            if value == BAD:
                raise ValueError("bad")


def taken(app: faust.App, name: str) -> None:
    """An agent that takes batches raises an exception."""

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
    """SIGTERM comes while the agent works on a batch."""

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


def main(name: str, folder: str) -> None:
    """Run a worker until it is stopped; Faust writes its files to the folder."""
    app = create_app(name, datadir=f"{folder}/{name}-data", stream_wait_empty=name != "cut-off")
    AGENTS[name](app, name)
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
