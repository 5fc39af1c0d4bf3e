"""The window that two options define."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from promptsales.cli.load import window_of
from promptsales.errors import ConfigError
from promptsales.feeds.models import Window

NOON = datetime(2026, 1, 1, 12)
AWARE = NOON.replace(tzinfo=UTC)


def test_window_of() -> None:
    assert window_of(None, None) is None
    assert window_of(NOON, AWARE.replace(hour=13)) == Window(start=AWARE, end=AWARE.replace(hour=13))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (NOON, None, "needs both"),
        (None, NOON, "needs both"),
        (NOON, NOON, "is not before"),
        (NOON.replace(year=2400), NOON.replace(year=2401), "start 2400-01-01T12:00Z is in the future"),
    ],
)
def test_what_is_wrong_is_said(start: datetime | None, end: datetime | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        window_of(start, end)


def test_a_load_of_rows_imports_nothing_that_it_does_not_need() -> None:
    heavy = ("great_expectations", "alembic", "sqlalchemy", "pymongo", "confluent_kafka", "pyspark", "pandas")
    code = (
        "import sys, promptsales.cli.load, promptsales.load.steps, promptsales.extract.opening\n"
        f"print(*[name for name in {heavy} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
