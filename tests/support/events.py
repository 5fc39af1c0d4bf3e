"""Change events as Debezium sends them, written by hand."""

import json
from typing import Any

from promptsales.stream.messages import Message

METRICS = "promptads.promptads.campaign_metrics"
COMMITTED_US = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z


def message(
    op: str,
    after: dict[str, Any] | None,
    lsn: int = 100,
    *,
    commit: int | None = -1,
    topic: str = METRICS,
    before: dict[str, Any] | None = None,
    epoch: int | None = 1,
    at_us: int = COMMITTED_US,
) -> Message:
    """Return one event; ``commit`` is where the commit before it ends, a negative one its own position."""
    before_it = None if commit is None or op == "r" else str(lsn if commit < 0 else commit)
    value = {
        "op": op,
        "before": before,
        "after": after,
        "source": {"lsn": lsn, "ts_us": at_us, "table": "t", "sequence": json.dumps([before_it, str(lsn)])},
        "ts_ms": 1,
    }
    return Message(topic, 0, 0, b'{"id":1}', json.dumps(value).encode(), epoch)


def metric(number: int, campaign: str, **changes: Any) -> dict[str, Any]:
    """Return a row of campaign_metrics, with the names of the source."""
    return {
        "id": number,
        "campaign_id": campaign,
        "timestamp": "2026-05-28T20:00:30.5Z",
        "impressions": 100,
        "clicks": 10,
        "spend": "1.2500",
        "conversions": 1,
        "updated_at": "2026-05-28T20:26:39.123456Z",
        **changes,
    }
