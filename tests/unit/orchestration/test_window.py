"""The window that a run loads."""

from datetime import UTC, datetime

import pytest

from promptsales.errors import ConfigError
from promptsales.feeds.models import Window
from promptsales.orchestration.window import WINDOW, refuse_unknown_keys, window_of

FROM, TO = datetime(2026, 11, 23, 13, tzinfo=UTC), datetime(2026, 11, 23, 14, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
EMPTY: dict[str, str | None] = {"start": None, "end": None}


@pytest.mark.parametrize("run_type", ["scheduled", "manual", "asset_triggered"])
def test_delta(run_type: str) -> None:
    assert window_of(run_type, (FROM, TO), EMPTY, NOW) is None


def test_manual_without_interval() -> None:
    assert window_of("manual", (None, None), EMPTY, NOW) is None


def test_backfill() -> None:
    assert window_of("backfill", (FROM, TO), EMPTY, NOW) == Window(start=FROM, end=TO)


def test_backfill_ignores_the_form() -> None:
    form = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    assert window_of("backfill", (FROM, TO), form, NOW) == Window(start=FROM, end=TO)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"),
        ("2026-11-23T14:00:00+01:00", "2026-11-23T09:00:00-05:00"),
        ("2026-11-23T13:00:00", "2026-11-23 14:00"),
    ],
)
def test_form(start: str, end: str) -> None:
    assert window_of("manual", (None, None), {"start": start, "end": end}, NOW) == Window(start=FROM, end=TO)


def test_form_of_a_scheduled_run() -> None:
    # a cleared run keeps its type and its form
    form = {"start": FROM.isoformat(), "end": TO.isoformat()}
    assert window_of("scheduled", (None, None), form, NOW) == Window(start=FROM, end=TO)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"start": "2026-11-23T13:00:00Z", "end": None}, "needs both start and end"),
        ({"start": "", "end": "2026-11-23T13:00:00Z"}, "needs both start and end"),
        (
            {"start": "2026-11-23T13:00:00Z", "end": "2026-11-23T13:00:00Z"},
            "start 2026-11-23T13:00Z is not before end 2026-11-23T13:00Z",
        ),
        ({"start": "2026-11-23T14:00:00Z", "end": "2026-11-23T13:00:00Z"}, "give the earlier time as start"),
        (
            {"start": "2026-11-23T18:00:01Z", "end": "2026-11-24T13:00:00Z"},
            "start 2026-11-23T18:00:01Z is in the future, it is now 2026-11-23T18:00Z; give a window of rows that were",
        ),
        ({"start": "yesterday", "end": "2026-11-23T13:00:00Z"}, "start 'yesterday' is not a time; write it like"),
    ],
)
def test_bad_form(form: dict[str, str | None], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        window_of("manual", (None, None), form, NOW)


def test_backfill_without_interval() -> None:
    with pytest.raises(ConfigError, match="needs both"):
        window_of("backfill", (None, None), EMPTY, NOW)


def test_keys_of_a_run() -> None:
    refuse_unknown_keys(None, WINDOW)
    refuse_unknown_keys({"start": None, "end": None}, WINDOW)
    with pytest.raises(ConfigError, match="the run's configuration has 'from', 'to', expected start and end; trigger"):
        refuse_unknown_keys({"to": "x", "start": "x", "from": "x"}, WINDOW)


def test_a_window_as_text() -> None:
    day = Window(start=datetime(2026, 11, 20, tzinfo=UTC), end=datetime(2026, 11, 21, tzinfo=UTC))
    assert str(day) == "replay 2026-11-20T00:00Z to 2026-11-21T00:00Z"
    assert str(Window(start=FROM, end=FROM.replace(second=1))) == "replay 2026-11-23T13:00Z to 2026-11-23T13:00:01Z"
