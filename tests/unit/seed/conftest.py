"""One small world for all tests of the sample data."""

from datetime import UTC, datetime

import pytest

from promptsales.seed.world import SCALES, Size, World

ANCHOR = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def world() -> World:
    """Return the small world."""
    return World(ANCHOR, SCALES[Size.SMALL])


@pytest.fixture(scope="session")
def same_world() -> World:
    """Return an equal world that shares nothing with the first."""
    return World(ANCHOR, SCALES[Size.SMALL])
