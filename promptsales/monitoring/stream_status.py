"""Read the state of the connectors and their lag at three hops: the slot, the bus, the last applied commit."""

from collections.abc import Iterator
from typing import NamedTuple

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.settings import Settings
from promptsales.stream import connectors
from promptsales.stream import lag as stream_lag
from promptsales.stream.connectors import ConnectorStatus
from promptsales.stream.lag import Lag, Slot


class ConnectorHealth(NamedTuple):
    """The status of a connector, its slot (None when there is none) and its lag."""

    status: ConnectorStatus
    slot: Slot | None
    lag: Lag

    @property
    def is_running(self) -> bool:
        """Return whether the connector and its task are running."""
        return (self.status.state, self.status.task) == ("RUNNING", "RUNNING")


def read_connectors(settings: Settings) -> Iterator[ConnectorHealth]:
    """Yield the state of every connector, including those that do not exist yet.

    Raises:
        TransientError: when a source, Kafka, Kafka Connect or the warehouse does not answer.
    """
    client = topics.admin(settings.address("kafka"))
    with connected(settings, "warehouse", patience="look") as warehouse:
        for name in connectors.names():
            with connected(settings, connectors.audit_of(name), patience="look") as source:
                slot = stream_lag.read_slot(source, name)
            yield ConnectorHealth(
                connectors.read_status(settings, name), slot, stream_lag.measure_lag(warehouse, client, name, slot)
            )
