"""How findings print an instant."""

from datetime import UTC, datetime, timedelta, timezone

from promptsales.monitoring.findings import show_second


def test_an_instant_is_shown_to_the_second_in_utc() -> None:
    at = datetime(2026, 11, 29, 1, 7, 20, 123456, timezone(timedelta(hours=2)))
    assert show_second(at) == "2026-11-28 23:07:20 UTC"
    assert show_second(datetime(2026, 11, 29, 7, 0, 59, 999999, UTC)) == "2026-11-29 07:00:59 UTC"


def test_no_instant_is_shown_as_unknown() -> None:
    assert show_second(None) == "unknown"
