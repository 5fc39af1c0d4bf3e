"""The findings of `promptsales doctor`."""

from datetime import UTC, datetime
from typing import NamedTuple


class Finding(NamedTuple):
    """A problem: where it is, what is wrong, and what to do."""

    where: str
    what: str
    todo: str


def show_second(at: datetime | None) -> str:
    """Return an instant as findings and alerts print it: in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "unknown"
