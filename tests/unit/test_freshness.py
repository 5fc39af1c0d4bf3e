"""When a table is late or stale its contract says."""

from datetime import UTC, datetime, timedelta

import pytest

from promptsales.monitoring import freshness
from promptsales.monitoring.freshness import Freshness
from promptsales.specs.feed import contracts

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def state(feed: str, **age: float) -> str:
    return Freshness(feed, AT, AT, timedelta(**age), None, None).state


@pytest.mark.parametrize(
    ("feed", "age", "expected"),
    [
        ("leads", {"hours": 2}, "fresh"),
        ("leads", {"hours": 2, "seconds": 1}, "late"),
        ("leads", {"hours": 4}, "late"),
        ("leads", {"hours": 4, "seconds": 1}, "stale"),
        ("campaigns", {"minutes": 1}, "fresh"),
        ("campaigns", {"minutes": 1, "seconds": 1}, "late"),
        ("campaigns", {"minutes": 15}, "late"),
        ("campaigns", {"minutes": 15, "seconds": 1}, "stale"),
    ],
)
def test_states_of_feeds_and_of_streamed_tables(feed: str, age: dict[str, float], expected: str) -> None:
    assert state(feed, **age) == expected


def test_a_feed_that_is_loaded_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    daily = contracts()["leads"].model_copy(update={"expected_every": timedelta(days=1)})
    monkeypatch.setattr(freshness, "contracts", lambda: {"leads": daily})
    assert [state("leads", hours=hours) for hours in (48, 49, 96, 97)] == ["fresh", "late", "late", "stale"]
