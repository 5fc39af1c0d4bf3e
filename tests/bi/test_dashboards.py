"""Every chart of every dashboard answers, and what it shows is what core holds."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from promptsales.settings import ROOT, Settings
from tests.bi.browsing import log_in, show
from tests.bi.recounting import EXPECTED, recount
from tests.support.browser import NEEDS_CHROMIUM, browsing

DASHBOARDS = sorted(path.stem for path in (ROOT / "bi" / "dashboards").glob("*.yaml"))

pytestmark = [pytest.mark.timeout(600), *NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(chromium: Any, address: str, built: Settings) -> Any:
    return log_in(chromium, address, built.secrets.password("superset_admin"))


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_every_chart_shows_what_core_holds(
    dashboard: str, page: Any, address: str, api: httpx.Client, core: psycopg.Connection
) -> None:
    result = api.get(f"dashboard/{dashboard}/charts").raise_for_status().json()["result"]
    names = {chart["id"]: chart["slice_name"] for chart in result}
    answers = {names[number]: answer for number, answer in show(page, address, dashboard, set(names)).items()}
    assert answers.keys() == set(names.values())
    assert {name: answer.status for name, answer in answers.items() if answer.status != 200 or not answer.rows} == {}
    totals = {name: float(answers[name].total) for name in EXPECTED.get(dashboard, {})}
    recounted = {name: float(recount(core, dashboard, name, answers[name].asked)) for name in totals}
    assert totals == pytest.approx(recounted, rel=1e-9)
