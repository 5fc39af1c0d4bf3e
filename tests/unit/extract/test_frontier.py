"""How a frontier moves the watermark."""

from datetime import UTC, datetime, timedelta

import pytest

from promptsales.extract.frontier import Frontier, compute_complete_through, compute_watermark

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIVE = timedelta(seconds=5)


def found(frontier: datetime | None, is_standby: bool = False) -> Frontier:
    return Frontier(frontier, NOON, is_standby, None, None, None)


@pytest.mark.parametrize(
    ("frontier", "previous", "watermark", "complete_through"),
    [
        (found(NOON), None, NOON - FIVE, NOON - FIVE),
        (found(NOON), NOON - HOUR, NOON - FIVE, NOON - FIVE),
        (found(NOON - HOUR), NOON - FIVE, NOON - FIVE, NOON - FIVE),  # never back
        (found(None), NOON - HOUR, NOON - HOUR, NOON - HOUR),  # prepared transactions hold it
        (found(None), None, None, None),
        (found(None, is_standby=True), NOON - 2 * HOUR, NOON - HOUR, None),
        (found(None, is_standby=True), None, NOON - HOUR, None),
    ],
)
def test_after(
    frontier: Frontier, previous: datetime | None, watermark: datetime | None, complete_through: datetime | None
) -> None:
    assert compute_watermark(frontier, previous, HOUR) == watermark
    assert compute_complete_through(frontier, previous) == complete_through
