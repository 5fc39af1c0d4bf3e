"""The watchdog ends a worker when events wait and nothing moves for too long."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from promptsales.settings import Settings
from streams.delivery import Delivery
from streams.health import ALONE_S, LOOK_S, PATIENCE_S, Health, PartitionProgress

WAITING, ALONE, IDLE = (
    PartitionProgress(True, 5, 100),
    PartitionProgress(False, 5, 100),
    PartitionProgress(True, 0, 100),
)


def health(is_waiting: bool = False) -> Health:
    return Health(None, Settings(), cast(Delivery, SimpleNamespace(is_waiting=is_waiting)))


def ends_after(state: Health, observations: Sequence[PartitionProgress | None]) -> float | None:
    """Return after how many seconds the watchdog ends the worker; the last observation repeats for ever."""
    for look in range(200):
        if state.is_stuck(observations[min(look, len(observations) - 1)], look * LOOK_S):
            return look * LOOK_S
    return None


@pytest.mark.parametrize(
    ("observations", "ends"),
    [
        ([WAITING], PATIENCE_S + LOOK_S),
        ([IDLE], None),
        ([None], None),  # a server is unavailable
        ([WAITING] * 6 + [IDLE, WAITING], 6 * LOOK_S + PATIENCE_S + LOOK_S),
        ([WAITING, None, WAITING], 2 * LOOK_S + PATIENCE_S + LOOK_S),
        ([PartitionProgress(True, 9, 10 * n) for n in range(9)], 8 * LOOK_S + PATIENCE_S + LOOK_S),
        # without a partition: normal while other workers apply, stuck when none does
        ([ALONE], ALONE_S + LOOK_S),
        ([PartitionProgress(False, 9, n) for n in range(199)], None),
        # rebalances take time
        ([ALONE] * 60 + [WAITING], 60 * LOOK_S + PATIENCE_S + LOOK_S),
    ],
)
def test_it_ends(observations: list[Any], ends: float | None) -> None:
    assert ends_after(health(), observations) == ends


def test_not_while_the_warehouse_is_away() -> None:
    assert ends_after(health(is_waiting=True), [WAITING]) is None


def test_a_batch_that_is_done_is_a_move(monkeypatch: pytest.MonkeyPatch) -> None:
    state = health()
    assert ends_after(state, [WAITING] * 6 + [IDLE]) is None
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    state.note(1, 0)
    assert not state.is_stuck(WAITING, 1000.0 + PATIENCE_S)
    assert state.is_stuck(WAITING, 1000.0 + PATIENCE_S + 1)
