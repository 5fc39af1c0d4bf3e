"""Connectors and their lag in three hops (slot, bus, last applied commit), for people, alerts and metrics."""

from collections.abc import Iterator
from typing import NamedTuple

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.settings import Settings
from promptsales.stream import connectors
from promptsales.stream import lag as stream_lag
from promptsales.stream.connectors import ConnectorStatus
from promptsales.stream.lag import Lag, Slot


class Following(NamedTuple):
    """A connector, its slot and its lag."""

    status: ConnectorStatus
    slot: Slot | None
    lag: Lag

    @property
    def is_running(self) -> bool:
        """Whether it follows its source."""
        return (self.status.state, self.status.task) == ("RUNNING", "RUNNING")


def following(settings: Settings) -> Iterator[Following]:
    """Every connector.

    Raises:
        TransientError: when a source, Kafka, Kafka Connect or the warehouse does not answer.
    """
    client = topics.admin(settings.address("kafka"))
    with connected(settings, "warehouse", patience="look") as warehouse:
        for name in connectors.names():
            with connected(settings, connectors.source_of(name), patience="look") as source:
                slot = stream_lag.read_slot(source, name)
            yield Following(
                connectors.read_status(settings, name), slot, stream_lag.measure_lag(warehouse, client, name, slot)
            )
