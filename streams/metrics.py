"""The stream's lag in Prometheus' format: slot, bus, last applied commit, and what was set aside."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from promptsales.connections import connected
from promptsales.monitoring.freshness import freshness
from promptsales.monitoring.stream_status import ConnectorHealth, read_connectors
from promptsales.settings import Settings
from promptsales.stream import dead_letter_desk, lag


class Metric(NamedTuple):
    """A gauge: its name, its help text, and a value for each label."""

    name: str
    help: str
    label: str
    values: dict[str, float]


def exposition(metrics: Iterable[Metric]) -> str:
    """Return metrics in Prometheus' text format; a gauge without values is skipped."""
    return "".join(f"{line}\n" for metric in metrics if metric.values for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    name = f"promptsales_stream_{metric.name}"
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} gauge"
    for label, value in metric.values.items():
        yield f'{name}{{{metric.label}="{label}"}} {value}'


def collect(settings: Settings) -> list[Metric]:
    """Return the current gauges.

    Raises:
        TransientError: when a server does not answer.
    """
    connectors: dict[str, ConnectorHealth] = {state.status.connector: state for state in read_connectors(settings)}
    with connected(settings, "warehouse", patience="look") as warehouse:
        ages = {
            table.feed: table.age.total_seconds() for table in freshness(warehouse) if table.is_streamed and table.age
        }
        letters = dead_letter_desk.count_letters(warehouse)
        unnamed, absent = lag.count_unnamed(warehouse), lag.count_absent(warehouse)
    slots = {name: state.slot for name, state in connectors.items() if state.slot}
    behind, kept = (
        {name: float(getattr(slot, field)) for name, slot in slots.items()} for field in ("behind_bytes", "kept_bytes")
    )
    running = {name: float(state.is_running) for name, state in connectors.items()}
    return [
        Metric("connector_running", "1 if a connector and its task run, else 0.", "connector", running),
        Metric("slot_bytes", "Log that a slot has not confirmed.", "connector", behind),
        Metric("slot_kept_bytes", "Log that a source keeps for a slot; counts against its cap.", "connector", kept),
        Metric(
            "bus_events",
            "Events on the bus that are not applied.",
            "connector",
            {name: float(state.lag.events) for name, state in connectors.items()},
        ),
        Metric("age_seconds", "Every commit older than this many seconds is in the warehouse.", "table", ages),
        Metric("dead_letters", "Messages that could not be decoded or stored.", "topic", letters),
        Metric("unnamed_events", "Events with a field no contract names, which was dropped.", "topic", unnamed),
        Metric("absent_events", "Events without a field for a column of the contract.", "topic", absent),
    ]
