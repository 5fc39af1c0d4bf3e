"""Fixtures of the fault tests: both applications, followed by the stream."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.settings import Settings
from tests.support.campaigning import start_campaigns
from tests.support.selling import start_selling
from tests.support.streaming import followed


@pytest.fixture
def following(stack: Settings, warehouse: psycopg.Connection) -> Iterator[None]:
    """Follow PromptAds and PromptCrm with an empty warehouse."""
    with followed(stack):
        start_campaigns(stack)
        start_selling(stack)
        yield
