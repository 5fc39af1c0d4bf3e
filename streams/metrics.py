"""The stream's lag as Prometheus reads it: slot, bus, last applied commit, and what was set aside."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from promptsales.connections import connected
from promptsales.monitoring.freshness import freshness
from promptsales.monitoring.stream_status import ConnectorHealth, read_connectors
from promptsales.settings import Settings
from promptsales.stream import dead_letters, lag


class Metric(NamedTuple):
    """A gauge: its name, what it is, and a value for each label."""

    name: str
    help: str
    label: str
    values: dict[str, float]


def exposition(metrics: Iterable[Metric]) -> str:
    """Metrics in Prometheus' text format; a gauge without values is left out."""
    return "".join(f"{line}\n" for metric in metrics if metric.values for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    name = f"promptsales_stream_{metric.name}"
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} gauge"
    for label, value in metric.values.items():
        yield f'{name}{{{metric.label}="{label}"}} {value}'


def collect(settings: Settings) -> list[Metric]:
    """The gauges as they are now.

    Raises:
        TransientError: when a server does not answer.
    """
    found: dict[str, ConnectorHealth] = {one.status.connector: one for one in read_connectors(settings)}
    with connected(settings, "warehouse", patience="look") as warehouse:
        ages = {one.feed: one.age.total_seconds() for one in freshness(warehouse) if one.is_streamed and one.age}
        letters = dead_letters.counts(warehouse)
        unnamed, absent = lag.unnamed(warehouse), lag.absent(warehouse)
    slots = {name: one.slot for name, one in found.items() if one.slot}
    behind, kept = (
        {name: float(getattr(slot, field)) for name, slot in slots.items()} for field in ("behind_bytes", "kept_bytes")
    )
    running = {name: float(one.is_running) for name, one in found.items()}
    return [
        Metric("connector_running", "Whether a connector and its task run.", "connector", running),
        Metric("slot_bytes", "Log that a slot has not confirmed.", "connector", behind),
        Metric("slot_kept_bytes", "Log that a source keeps for a slot; counts against its cap.", "connector", kept),
        Metric(
            "bus_events",
            "Events on the bus that are not applied.",
            "connector",
            {name: float(one.lag.events) for name, one in found.items()},
        ),
        Metric("age_seconds", "Every commit before so long ago is in the warehouse.", "table", ages),
        Metric("dead_letters", "Messages that could not be decoded.", "topic", letters),
        Metric("unnamed_events", "Events with a field no contract names, which was dropped.", "topic", unnamed),
        Metric("absent_events", "Events without a field for a column of the contract.", "topic", absent),
    ]
