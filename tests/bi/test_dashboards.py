"""Every chart of every dashboard answers, and the rows that it shows are those that core gives."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from promptsales.settings import ROOT, Settings
from tests.bi.browsing import Answer, log_in, show
from tests.bi.recounting import EXPECTED, Row, comparable, recount, recounting
from tests.support.browser import NEEDS_CHROMIUM, browsing

DASHBOARDS = sorted(path.stem for path in (ROOT / "bi" / "dashboards").glob("*.yaml"))
BANNER = "Complete through"
# of a streamed table it moves on while it is compared
MOVING = "Complete through (UTC)"

pytestmark = [pytest.mark.timeout(900), *NEEDS_CHROMIUM]


def charts_of(dashboard: str) -> dict[str, dict[str, Any]]:
    """Return the charts of a dashboard by their names."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "bi" / "charts" / dashboard).glob("*.yaml")]
    return {chart["slice_name"]: chart for chart in map(yaml.safe_load, texts)}


@pytest.fixture(scope="module")
def facts(built: Settings) -> Iterator[psycopg.Connection]:
    with recounting(built) as connection:
        yield connection


@pytest.fixture(scope="module")
def page(address: str, built: Settings) -> Iterator[Any]:
    with browsing() as chromium:
        yield log_in(chromium, address, built.secrets.password("superset_admin"))


@pytest.fixture(scope="module")
def answers_of(page: Any, address: str, api: httpx.Client) -> Callable[[str], dict[str, Answer]]:
    """Return a function that opens a dashboard once and returns what was answered to each of its charts."""

    @cache
    def ask(dashboard: str) -> dict[str, Answer]:
        result = api.get(f"dashboard/{dashboard}/charts").raise_for_status().json()["result"]
        names = {chart["id"]: chart["slice_name"] for chart in result}
        answers = {names[number]: answer for number, answer in show(page, address, dashboard, set(names)).items()}
        assert answers.keys() == set(names.values())
        assert {name: a.status for name, a in answers.items() if a.status != 200 or not a.rows} == {}
        return answers

    return ask


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_every_chart_has_an_expectation(dashboard: str) -> None:
    assert charts_of(dashboard).keys() - {BANNER} == EXPECTED[dashboard].keys()


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_every_chart_shows_what_core_holds(
    dashboard: str, answers_of: Callable[[str], dict[str, Answer]], facts: psycopg.Connection
) -> None:
    answers, charts = answers_of(dashboard), charts_of(dashboard)
    differing = {
        name: difference
        for name in EXPECTED[dashboard]
        if (difference := compare(answers[name], recount(facts, dashboard, name, answers[name].asked), charts[name]))
    }
    assert differing == {}


@pytest.mark.parametrize("dashboard", [name for name in DASHBOARDS if name != "operations"])
def test_a_banner_shows_what_ops_holds(
    dashboard: str, answers_of: Callable[[str], dict[str, Answer]], facts: psycopg.Connection
) -> None:
    said = charts_of(dashboard)[BANNER]["params"]["adhoc_filters"][0]["sqlExpression"]
    marts = re.findall(r"'(\w+)'", said)
    query = """select table_name, coalesce(to_char(complete_through, 'DD Mon YYYY HH24:MI'), 'unknown'),
                      case when is_stale then 'Stale' else 'Up to date' end
               from table_state where table_name = any(%s)"""
    banner = answers_of(dashboard)[BANNER].rows
    shown = {(row["Input"].lower().replace(" ", "_"), row["Complete through (UTC)"], row["State"]) for row in banner}
    assert (len(banner), shown) == (len(marts), set(facts.execute(query, [marts]).fetchall()))


def compare(answer: Answer, expected: list[Row], chart: dict[str, Any]) -> list[Row]:
    """Return the rows that one side has and the other has not.

    A ranking shows as many rows as it may; of rows with the figure of the last place, it may show any.
    """
    shown = comparable(answer.rows)
    count = min(len(expected), chart["params"].get("row_limit", len(expected)))
    extra = [row for row in shown if not any(is_same(row, other) for other in expected)]
    missing = [] if not extra and len(shown) == count else expected
    return [*extra, *missing][:4]


def is_same(row: Row, other: Row) -> bool:
    """Return whether two rows are equal, but for the last digits of numbers that were rounded on the way."""
    return row.keys() == other.keys() and all(
        value == other[name] or (name == MOVING and is_moment_before(value, other[name]))
        if isinstance(value, str)
        else value == pytest.approx(other[name], rel=1e-9, abs=1e-6)
        for name, value in row.items()
    )


def is_moment_before(shown: str, now: str) -> bool:
    """Return whether a stream may have moved on from one time to the other since the dashboard was opened."""
    if "unknown" in (shown, now):
        return False
    return timedelta(0) <= datetime.fromisoformat(now) - datetime.fromisoformat(shown) < timedelta(minutes=10)
