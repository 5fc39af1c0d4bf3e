"""The Warehouse page in a browser: every page with each role, checked by axe, by width and by colour scheme."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest
import redis

from promptsales.cache.responses import forget
from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from promptsales.webui.reading import BOOKS
from tests.support import leads
from tests.support.airflow_server import serving
from tests.support.browser import NEEDS_CHROMIUM, browsing

pytestmark = [pytest.mark.timeout(900), *NEEDS_CHROMIUM]

PAGES = ("/", "/tables/core.leads", "/tables/marts.lead_attribution", "/tables/realtime.live_leads", "/quarantine",
         "/loads", "/stream", "/dead-letters", "/dags/promptcrm_hourly")  # fmt: skip
WIDTHS = (400, 768, 1440, 1920)
ROLES = ("viewer", "editor", "admin")
# axe's rules for pages of our own: WCAG 2.2 AA and its best practices
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def airflow(stack: Settings) -> Iterator[str]:
    with serving(stack) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def held(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> psycopg.Connection:
    """Load leads of which three break a rule, so that every page has something to show."""
    leads.add(crm, 5)
    leads.add_bad(crm, 3)
    load(contract("leads"), source, warehouse, None, "airflow:promptcrm_hourly/manual__1")
    with redis.Redis.from_url(stack.address("redis"), decode_responses=True) as client:
        forget(client, BOOKS)
    return warehouse


def log_in(browser: Any, address: str, stack: Settings, user: str, **options: Any) -> Any:
    """Log in as a person does: by Airflow's form."""
    page = browser.new_context(base_url=address, **options).new_page()
    page.goto("/auth/login")
    page.fill('input[name="username"]', user)
    page.fill('input[name="password"]', stack.secrets.password(f"airflow_{user}"))
    page.click('button[type="submit"]')
    page.wait_for_url(lambda url: "/auth/login" not in url)
    return page


def strangers(page: Any, address: str) -> list[str]:
    """Return a list that fills with the requests to other hosts."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if not request.url.startswith(address) else None)
    return found


@pytest.mark.parametrize("role", ROLES)
def test_axe_finds_nothing_on_any_page(
    role: str, held: psycopg.Connection, stack: Settings, airflow: str, chromium: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": TAGS}}
    (number,) = held.execute("select min(quarantine_id) from ops.quarantine").fetchone() or (0,)
    for scheme, width in (("light", 1440), ("dark", 400)):
        look = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
        # axe itself is a script that the page's policy does not allow
        page = log_in(chromium, airflow, stack, role, bypass_csp=True, **look)
        others = strangers(page, airflow)
        for path in (*PAGES, f"/quarantine/{number}"):
            page.goto(f"/warehouse{path}")
            found = [
                (violation["id"], node["target"])
                for violation in Axe().run(page, options=options).response["violations"]
                for node in violation["nodes"]
            ]
            assert (path, scheme, found) == (path, scheme, [])
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} overflows {width} px"
        assert others == []
        page.context.close()


def test_no_page_is_wider_than_its_window(
    held: psycopg.Connection, stack: Settings, airflow: str, chromium: Any
) -> None:
    (number,) = held.execute("select min(quarantine_id) from ops.quarantine").fetchone() or (0,)
    page = log_in(chromium, airflow, stack, "editor")
    tabs = ("/dags/promptcrm_hourly/runs/manual__1", "/dags/promptcrm_hourly/tasks/leads.publish")
    for path in (*PAGES, *tabs, f"/quarantine/{number}", "/tables/core.nothing"):
        page.goto(f"/warehouse{path}")
        for scheme, width in product(("light", "dark"), WIDTHS):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert (path, scheme, shown) == (path, scheme, [width, width])
    page.context.close()


def test_the_policy_blocks_nothing_of_ours(
    held: psycopg.Connection, stack: Settings, airflow: str, chromium: Any
) -> None:
    page = log_in(chromium, airflow, stack, "viewer")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for path in PAGES:
        page.goto(f"/warehouse{path}")
        page.wait_for_load_state("networkidle")
    assert complaints == []
    page.context.close()


def test_in_airflows_frame_a_run_opens_in_the_window(
    held: psycopg.Connection, stack: Settings, airflow: str, chromium: Any
) -> None:
    page = log_in(chromium, airflow, stack, "viewer")
    page.goto("/plugin/warehouse")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="core.leads").click()
    frame.get_by_role("link", name="promptcrm_hourly").first.click()
    page.wait_for_url(f"{airflow}/dags/promptcrm_hourly**")
    assert page.locator("iframe").count() == 0
    page.context.close()


def test_an_editor_releases_a_row_by_keyboard(
    held: psycopg.Connection, crm: psycopg.Connection, source: psycopg.Connection, stack: Settings, airflow: str,
    chromium: Any,
) -> None:  # fmt: skip
    page = log_in(chromium, airflow, stack, "editor")
    page.goto("/warehouse/")
    page.get_by_role("link", name="core.leads").click()
    row = page.get_by_role("row", name="created_after_updated")
    row.get_by_role("link").first.press("Enter")
    page.locator('input[name="row"]').first.press("Space")
    page.get_by_label("Reason").fill("the customer confirmed the date")
    page.get_by_label("Reason").press("Enter")
    page.get_by_role("heading", name="Release: 1 of 1 done").wait_for()
    load(contract("leads"), source, held, None, "test")
    assert len(leads.in_core(held)) == 6
    assert len(leads.in_quarantine(held)) == 2
    page.context.close()


def test_a_viewer_finds_nothing_to_press(
    held: psycopg.Connection, stack: Settings, airflow: str, chromium: Any
) -> None:
    page = log_in(chromium, airflow, stack, "viewer")
    for path in ("/quarantine", "/dead-letters", "/stream"):
        page.goto(f"/warehouse{path}")
        assert page.locator('form[method="post"] button').count() == 0
    page.context.close()
