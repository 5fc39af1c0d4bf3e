"""The window that two options name."""

from datetime import UTC, datetime

import pytest

from promptsales.cli.load import window_of
from promptsales.errors import ConfigError
from promptsales.load.models import Window

NOON = datetime(2026, 1, 1, 12)
AWARE = NOON.replace(tzinfo=UTC)


def test_window_of() -> None:
    assert window_of(None, None) is None
    assert window_of(NOON, AWARE.replace(hour=13)) == Window(start=AWARE, end=AWARE.replace(hour=13))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [(NOON, None, "needs both"), (None, NOON, "needs both"), (NOON, NOON, "is not before")],
)
def test_what_is_wrong_is_said(start: datetime | None, end: datetime | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        window_of(start, end)
