"""The thread that tells how far tables are complete."""

from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from promptsales.settings import Settings
from promptsales.stream_gaps import Gap
from streams import progress

GAP = Gap("promptads.promptads.ads", 0, 3, 9, 9, True)


@pytest.mark.parametrize(("gaps", "noted"), [([], [("promptads", 2)]), ([GAP], [])])
def test_what_is_swept_is_the_epoch_that_was_looked_at_unless_events_are_missing(
    monkeypatch: pytest.MonkeyPatch, gaps: list[Gap], noted: list[Any]
) -> None:
    swept: list[Any] = []

    def sweep(*arguments: Any) -> int:
        swept.append(arguments[2:])
        return 0

    def stop(_: float) -> None:
        raise StopIteration

    told: list[Any] = []
    following: Any = SimpleNamespace(
        connector="promptads", epoch=2, look=lambda *_: datetime.now(UTC), tell=told.append
    )
    monkeypatch.setattr(progress, "connected", lambda *_: nullcontext())
    monkeypatch.setattr(progress, "stream_progress", SimpleNamespace(note=lambda *_: None))
    monkeypatch.setattr(progress, "stream_gaps", SimpleNamespace(close=lambda *_: gaps))
    monkeypatch.setattr(progress, "sweep", sweep)
    monkeypatch.setattr(progress, "time", SimpleNamespace(sleep=stop))
    with pytest.raises(StopIteration):
        progress._look(Settings(), following)
    assert swept == noted
    assert told == [gaps]
