"""Dashboards on a desk and on a phone, in light and in dark: no chart fails, and nothing is wider than the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from promptsales.settings import Settings
from tests.bi.browsing import log_in, show
from tests.bi.test_dashboards import DASHBOARDS
from tests.support.browser import NEEDS_CHROMIUM, browsing

WIDTHS = {"desk": 1440, "phone": 400}
# what Superset shows in place of a chart that failed
FAILED = ".ant-alert-error, [data-test='error-message'], .chart-error, [role='alert']:has-text('Error')"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

pytestmark = [pytest.mark.timeout(900), *NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def folder(built: Settings) -> Iterator[Path]:
    """Create the folder of the pictures, and print its name at the end."""
    pictures = built.state.parent / f"{built.state.name}.dashboards"
    pictures.mkdir(exist_ok=True)
    yield pictures
    print(f"\npictures of the dashboards: {pictures}")


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(scheme: str, address: str, built: Settings) -> Iterator[Any]:
    with browsing() as chromium:
        yield log_in(chromium, address, built.secrets.password("superset_admin"), scheme)


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_a_dashboard_fits(
    dashboard: str, scheme: str, page: Any, folder: Path, address: str, api: httpx.Client
) -> None:
    result = api.get(f"dashboard/{dashboard}/charts").raise_for_status().json()["result"]
    page.set_viewport_size({"width": WIDTHS["desk"], "height": 4000})
    charts = {chart["id"] for chart in result}
    assert show(page, address, dashboard, charts).keys() == charts
    page.wait_for_function("!document.body.innerText.includes('Waiting on')")
    for device, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 4000 if device == "desk" else 8000})
        page.wait_for_timeout(3000)  # charts are drawn again, with an animation
        page.screenshot(path=folder / f"{dashboard}-{device}-{scheme}.png")
        assert page.locator(FAILED).all_inner_texts() == []
        assert page.evaluate(TOO_WIDE) == 0
