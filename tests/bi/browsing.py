"""Dashboards as a browser shows them: which charts they ask Superset for, and what it answers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, Response

# Superset asks only for charts that are in view
_TALL = 4000
_PATIENCE_MS = 60_000
# what a chart shows along its axis, no figures
_AXES = {"date_day", "month_start_date", "Flight ends"}


@dataclass(frozen=True)
class Answer:
    """What Superset answered to one chart: the status, the rows, and the currency and time range of the question."""

    status: int
    rows: list[dict[str, Any]]
    asked: dict[str, Any]

    @property
    def total(self) -> Decimal:
        """The sum of all figures."""
        figures = (value for row in self.rows for name, value in row.items() if name not in _AXES)
        return sum((Decimal(str(value)) for value in figures if isinstance(value, int | float)), Decimal())


def log_in(browser: Browser, address: str, password: str, scheme: Any = "light") -> Page:
    """Return a page whose user is Superset's administrator."""
    page = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": _TALL}).new_page()
    page.goto(f"{address}/login/")
    page.fill("#username", "admin")
    page.fill("#password", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def show(page: Page, address: str, dashboard: str, charts: set[int]) -> dict[int, Answer]:
    """Open a dashboard, wait until each of its charts was answered, and return the answers by the charts' ids."""
    answers: dict[int, Answer] = {}

    def keep(response: Response) -> None:
        if "/api/v1/chart/data" in response.url:
            answers.update(_answer(response))

    page.on("response", keep)
    page.goto(f"{address}/superset/dashboard/{dashboard}/")
    waited = 0
    while charts - answers.keys() and waited < _PATIENCE_MS:
        page.wait_for_timeout(100)
        waited += 100
    page.remove_listener("response", keep)
    return answers


def _answer(response: Response) -> dict[int, Answer]:
    form = parse_qs(urlsplit(response.url).query).get("form_data", ["{}"])[0]
    body = response.request.post_data_json or {}
    number = body.get("form_data", {}).get("slice_id")
    if not number:  # a filter asks for its values
        return {}
    assert str(number) in form
    result = response.json()["result"][0] if response.ok else {"data": []}
    asked = {"start": result.get("from_dttm"), "end": result.get("to_dttm"), "currency": _currency(body)}
    return {number: Answer(response.status, result["data"], asked)}


def _currency(body: dict[str, Any]) -> str | None:
    values = [f["val"] for query in body["queries"] for f in query.get("filters", []) if f["col"] == "currency_code"]
    return values[0][0] if values else None
