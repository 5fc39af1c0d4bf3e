"""Of two figures of the same campaign and time the newer one stays, in whichever order they arrive."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from promptsales.settings import Settings
from promptsales.stream.live_counters import Counters
from promptsales.stream.sink import Figure

MINUTE = datetime(2026, 3, 2, 12, tzinfo=UTC)


def figure(version: int, kind: str = "minute") -> Figure:
    return Figure(kind, UUID(int=1), MINUTE, version * 10, 0, Decimal(0), 0, version)


@pytest.mark.parametrize("versions", [(1, 2), (2, 1)])
def test_the_newer_figure_stays(versions: tuple[int, int]) -> None:
    counters = Counters(Settings())
    for version in versions:
        counters.note([figure(version)])
    counters.note([figure(1, "day")])
    assert [(c.kind, c.version, c.impressions) for c in counters._noted.values()] == [("minute", 2, 20), ("day", 1, 10)]
