"""The thread that records how far tables are complete."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from promptsales.settings import Settings
from promptsales.stream import completeness
from promptsales.stream.gaps import Gap
from promptsales.stream.progress import Reached
from promptsales.stream.truncations import Truncation

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

    calls: list[Any] = []
    following: Any = SimpleNamespace(
        connector="promptads", epoch=2, look=lambda *_: Reached(datetime.now(UTC), []), log_gaps=calls.append
    )
    monkeypatch.setattr(completeness, "connected", lambda *_: nullcontext())
    monkeypatch.setattr(completeness, "progress", SimpleNamespace(record_complete_through=lambda *_: None))
    monkeypatch.setattr(completeness, "truncations", SimpleNamespace(read_pending=lambda *_: []))
    monkeypatch.setattr(completeness, "stream_gaps", SimpleNamespace(close=lambda *_: gaps))
    monkeypatch.setattr(completeness, "sweep", sweep)
    monkeypatch.setattr(completeness, "time", SimpleNamespace(sleep=stop))
    with pytest.raises(StopIteration):
        completeness._run(Settings(dsn={"kafka_stream": "127.0.0.1:1"}), following)
    assert swept == noted
    assert calls == [gaps]


def test_only_a_truncation_that_was_noted_before_the_moment_is_applied_and_the_others_hold_completeness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = datetime(2026, 5, 28, 20, tzinfo=UTC)
    before, later = (Truncation("ads", 1, lsn, lsn, at + timedelta(seconds=lsn - 20)) for lsn in (5, 9))
    truncated: list[Truncation] = []
    noted: list[datetime] = []

    def truncate(_settings: Any, _warehouse: Any, truncation: Truncation) -> int:
        truncated.append(truncation)
        return 3

    following: Any = SimpleNamespace(connector="promptads", epoch=2, log_gaps=lambda _: None)
    monkeypatch.setattr(completeness, "truncations", SimpleNamespace(read_pending=lambda *_: [before, later]))
    monkeypatch.setattr(completeness, "truncate", truncate)
    monkeypatch.setattr(completeness, "stream_gaps", SimpleNamespace(close=lambda *_: []))
    monkeypatch.setattr(
        completeness, "progress", SimpleNamespace(record_complete_through=lambda *arguments: noted.append(arguments[2]))
    )
    monkeypatch.setattr(completeness, "sweep", lambda *_: 0)
    warehouse: Any = None
    completeness._handle(Settings(), warehouse, following, Reached(at, [before]))
    assert truncated == [before]
    assert noted == [at - timedelta(seconds=11)]
