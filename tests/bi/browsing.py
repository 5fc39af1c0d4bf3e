"""Dashboards as a browser shows them: which charts they ask Superset for, and what it answers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, Response

# Superset asks only for charts that are in view
_TALL = 4000
_PATIENCE_MS = 180_000
# Superset's number for columns of times, which are milliseconds
_TIME = 2


@dataclass(frozen=True)
class Answer:
    """What Superset answered to one chart: the status, the rows, and the currency and days of the question."""

    status: int
    rows: list[dict[str, Any]]
    asked: dict[str, Any]


def log_in(browser: Browser, address: str, password: str, scheme: Any = "light") -> Page:
    """Return a page whose user is Superset's administrator."""
    page = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": _TALL}).new_page()
    page.set_default_timeout(_PATIENCE_MS)
    for _ in range(5):
        # an answer that comes after the login's puts the anonymous session back
        page.goto(f"{address}/login/", wait_until="networkidle")
        page.fill("#username", "admin")
        page.fill("#password", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        if page.request.get(f"{address}/api/v1/me/").ok:
            break
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
    result = response.json()["result"][0] if response.ok else {}
    days = {"start": _day(result.get("from_dttm"), "-infinity"), "end": _day(result.get("to_dttm"), "infinity")}
    return {number: Answer(response.status, _rows(result), days | {"currency": _currency(body)})}


def _day(milliseconds: int | None, missing: str) -> str:
    return missing if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows, their times as days."""
    times = {
        name for name, kind in zip(result.get("colnames", ()), result.get("coltypes", ()), strict=True) if kind == _TIME
    }
    return [
        {name: _day(value, "") if name in times and value is not None else value for name, value in row.items()}
        for row in result.get("data", ())
    ]


def _currency(body: dict[str, Any]) -> str | None:
    values = [f["val"] for query in body["queries"] for f in query.get("filters", []) if f["col"] == "currency_code"]
    return values[0][0] if values else None
