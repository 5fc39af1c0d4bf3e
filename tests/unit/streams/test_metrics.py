"""The text that Prometheus reads."""

from streams.metrics import Metric, exposition


def test_a_gauge_without_values_is_left_out() -> None:
    metrics = [
        Metric("slot_bytes", "Log that a source keeps.", "connector", {"promptads": 96.0, "promptcrm": 0.0}),
        Metric("dead_letters", "Nothing.", "topic", {}),
    ]
    assert exposition(metrics) == (
        "# HELP promptsales_stream_slot_bytes Log that a source keeps.\n"
        "# TYPE promptsales_stream_slot_bytes gauge\n"
        'promptsales_stream_slot_bytes{connector="promptads"} 96.0\n'
        'promptsales_stream_slot_bytes{connector="promptcrm"} 0.0\n'
    )
