"""The window that a run loads."""

from datetime import UTC, datetime

import pytest

from promptsales.errors import ConfigError
from promptsales.feeds.models import Window
from promptsales.orchestration.window import window_of

FROM, TO = datetime(2026, 11, 23, 13, tzinfo=UTC), datetime(2026, 11, 23, 14, tzinfo=UTC)
EMPTY: dict[str, str | None] = {"start": None, "end": None}


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered"])
def test_delta(run_type: str) -> None:
    assert window_of(run_type, (FROM, TO), EMPTY) is None


def test_manual_without_interval() -> None:
    assert window_of("manual", (None, None), EMPTY) is None


def test_backfill() -> None:
    assert window_of("backfill", (FROM, TO), EMPTY) == Window(start=FROM, end=TO)


def test_backfill_ignores_the_form() -> None:
    form = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    assert window_of("backfill", (FROM, TO), form) == Window(start=FROM, end=TO)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"),
        ("2026-11-23T14:00:00+01:00", "2026-11-23T09:00:00-05:00"),
        ("2026-11-23T13:00:00", "2026-11-23 14:00"),
    ],
)
def test_form(start: str, end: str) -> None:
    assert window_of("manual", (None, None), {"start": start, "end": end}) == Window(start=FROM, end=TO)


def test_form_of_a_scheduled_run() -> None:
    # a cleared run keeps its type and its form
    form = {"start": FROM.isoformat(), "end": TO.isoformat()}
    assert window_of("scheduled", (None, None), form) == Window(start=FROM, end=TO)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"start": "2026-11-23T13:00:00Z", "end": None}, "needs both start and end"),
        ({"start": "", "end": "2026-11-23T13:00:00Z"}, "needs both start and end"),
        ({"start": "2026-11-23T13:00:00Z", "end": "2026-11-23T13:00:00Z"}, "is not before end"),
        ({"start": "2026-11-23T14:00:00Z", "end": "2026-11-23T13:00:00Z"}, "give the earlier time as start"),
        ({"start": "yesterday", "end": "2026-11-23T13:00:00Z"}, "start 'yesterday' is not a time; write it like"),
    ],
)
def test_bad_form(form: dict[str, str | None], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        window_of("manual", (None, None), form)


def test_backfill_without_interval() -> None:
    with pytest.raises(ConfigError, match="needs both"):
        window_of("backfill", (None, None), EMPTY)
