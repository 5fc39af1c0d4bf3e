"""The models that tasks exchange survive XCom, and a window is half-open."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from promptsales.feeds.models import Progress, Staged, Window

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
        progress=Progress(last_sync_timestamp=NOON, complete_through=None, pii_kid=1, pii_check="00"),
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
