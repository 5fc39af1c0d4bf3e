"""Debian's Chromium for tests of pages; they are skipped by name where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# Playwright downloads none
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))

NEEDS_CHROMIUM = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM} (apt-get install chromium)"),
    # playwright's own loop leaves one behind
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextmanager
def browsing() -> Iterator[Any]:
    """Start Chromium, and end it with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()
