"""The models that tasks exchange survive XCom, and a window is half-open."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from promptsales.feeds.models import FeedProgress, Staged, Window
from promptsales.settings import Limits, Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_staged_survives_json() -> None:
    staged = Staged(
        feed="leads",
        extraction=1,
        window=None,
        window_start=None,
        read_at=NOON,
        started_at=NOON,
        triggered_by="test",
        progress=FeedProgress(last_sync_timestamp=NOON, complete_through=None, pii_kid=1, pii_check="00"),
        extracted=2,
        suppressed=0,
        unchanged=1,
        held=1,
    )
    assert Staged.model_validate(staged.model_dump(mode="json")) == staged
    assert staged.is_empty


@pytest.mark.parametrize("end", [NOON, datetime(2025, 1, 1, tzinfo=UTC)])
def test_window_must_not_be_empty(end: datetime) -> None:
    with pytest.raises(ValidationError, match="the start must be before the end"):
        Window(start=NOON, end=end)


@pytest.mark.parametrize(
    ("bad", "total", "expected"),
    [(99, 100, False), (100, 499, True), (100, 500, False), (101, 500, True), (0, 0, False)],
)
def test_a_batch_is_blocked_by_many_rows_that_are_a_large_share(bad: int, total: int, expected: bool) -> None:
    assert Limits(share=0.2, rows=100).are_exceeded(bad, total) is expected


def test_the_settings_say_when_a_batch_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().limits == Limits(share=0.2, rows=100)
    monkeypatch.setenv("PROMPTSALES_QUARANTINE_SHARE", "0.5")
    monkeypatch.setenv("PROMPTSALES_QUARANTINE_ROWS", "7")
    assert Settings().limits == Limits(share=0.5, rows=7)
