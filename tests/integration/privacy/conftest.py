"""Tests of this folder change the hashing key; each begins and ends with the first one."""

from collections.abc import Iterator

import pytest

from promptsales.settings import Settings
from tests.support import keys


@pytest.fixture(autouse=True)
def first_key(stack: Settings) -> Iterator[None]:
    keys.first_again(stack)
    yield
    keys.first_again(stack)
