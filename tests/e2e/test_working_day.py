"""A working day without a terminal: a stale table, its failing check, the row, its release, a replay, and the mart."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
import redis

from promptsales.airflow_client.api import POLL_S, AirflowClient
from promptsales.cache.responses import forget
from promptsales.settings import Settings
from promptsales.webui.reading import BOOKS
from tests.e2e.conftest import HOURLY
from tests.e2e.test_warehouse_page import log_in
from tests.support import leads
from tests.support.browser import NEEDS_CHROMIUM, browsing

pytestmark = [pytest.mark.timeout(1800), *NEEDS_CHROMIUM]

MARTS, MART = "warehouse_marts", "marts.lead_attribution"
REASON = "the importer wrote the dates in the wrong order; sales confirmed the lead"
PATIENCE_S = 600


class Morning(NamedTuple):
    """What the day begins with: a row in quarantine, and the time at which the source changed it."""

    row: int
    created_at: datetime
    changed_at: datetime


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def morning(
    airflow: AirflowClient, stack: Settings, crm: psycopg.Connection, admin: psycopg.Connection
) -> Iterator[Morning]:
    """Load five leads and a bad one, build the marts, and let the feed fall behind."""
    leads.add(crm, 5)
    changed_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    created_at = changed_at + timedelta(hours=1)
    with crm.transaction():
        crm.execute("alter table crm.leads disable trigger zz_touch_insert")
        leads.add(crm, created_at=created_at, updated_at=changed_at)
        crm.execute("alter table crm.leads enable trigger zz_touch_insert")
    with unpaused(airflow, MARTS):
        run, _ = airflow.wait(airflow.trigger(HOURLY, f"manual__{time.time_ns()}", {}), PATIENCE_S)
        assert run.state == "success"
        wait_until(lambda: builds_of(admin) == 1, "the marts have not followed the first load")
        admin.execute("update ops.feed set complete_through = now() - interval '5 hours' where feed = 'leads'")
        with redis.Redis.from_url(stack.address("redis"), decode_responses=True) as client:
            forget(client, BOOKS)
        ((row,),) = admin.execute("select quarantine_id from ops.quarantine where feed = 'leads'").fetchall()
        yield Morning(row, created_at, changed_at)


@contextmanager
def unpaused(airflow: AirflowClient, dag_id: str) -> Iterator[None]:
    """Let a DAG run in the block."""
    airflow.pause(dag_id, is_paused=False)
    try:
        yield
    finally:
        airflow.pause(dag_id)


def builds_of(admin: psycopg.Connection) -> int:
    """Return how often the mart was built."""
    ((count,),) = admin.execute("select count(*) from ops.mart_build where mart = 'lead_attribution'").fetchall()
    return int(count)


def wait_until(is_done: Any, otherwise: str) -> None:
    """Ask again until something is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        assert time.monotonic() < deadline, otherwise
        time.sleep(POLL_S)


def look_into(page: Any, morning: Morning) -> None:
    """Go from the overview to the row, as a viewer and an editor both can."""
    page.goto("/plugin/warehouse")
    frame = page.frame_locator("iframe")
    stale = frame.get_by_role("row").filter(has_text="core.leads")
    assert "stale" in stale.inner_text()
    stale.get_by_role("link", name="core.leads").click()
    finding = frame.locator(".findings li").first.inner_text()
    assert "complete only through" in finding
    check = frame.get_by_role("row").filter(has_text="created_after_updated")
    assert "failed" in check.inner_text()
    check.get_by_role("link", name="1", exact=True).click()
    held = frame.get_by_role("row").filter(has_text=f"created_at = {morning.created_at:%Y-%m-%d %H:%M:%S}Z")
    held.get_by_role("link", name=str(morning.row)).click()
    frame.get_by_role("heading", name=f"Row {morning.row} of core.leads").wait_for()
    offending = frame.locator("code.offending").all_inner_texts()
    assert f"created_at = {morning.created_at:%Y-%m-%d %H:%M:%S}Z" in offending
    assert f"updated_at = {morning.changed_at:%Y-%m-%d %H:%M:%S}Z" in offending


def trigger(page: Any, start: datetime | None = None, end: datetime | None = None) -> None:
    """Fill in Airflow's own form on the page of a DAG, and send it."""
    page.get_by_test_id("trigger-dag-button").click()
    # a picker is a dialog too
    form = page.get_by_role("dialog").filter(has=page.get_by_test_id("trigger-dag-submit"))
    form.get_by_test_id("trigger-dag-submit").wait_for()
    if start and end:
        # the first picker is the run's logical date
        for place, moment in ((1, start), (2, end)):
            form.get_by_test_id("datetime-input").nth(place).click()
            page.get_by_placeholder("YYYY/MM/DD").locator("visible=true").fill(f"{moment:%Y/%m/%d}")
            page.get_by_placeholder("HH:mm").locator("visible=true").fill(f"{moment:%H:%M}")
            form.get_by_text("Trigger Dag -").click()  # closes the picker
    form.get_by_test_id("trigger-dag-submit").click()
    form.wait_for(state="hidden")


def builds_on(page: Any) -> list[tuple[str, str]]:
    """Return the builds that the mart's page lists, newest first: rows read by Spark, and inserted."""
    page.goto(f"/warehouse/tables/{MART}")
    rows = page.locator("section[aria-labelledby='loads'] tbody tr")
    listed = [row.locator("td").all_inner_texts() for row in rows.all()]
    return [(cells[3], cells[4]) for cells in listed if len(cells) > 5]


def newest_load(page: Any, title: str) -> str:
    """Return what a table's page says of its newest load."""
    page.goto(f"/warehouse/tables/{title}")
    return str(page.locator("section[aria-labelledby='loads'] tbody tr").first.inner_text())


def state_of(page: Any, title: str) -> str:
    """Return the state of a table on its page."""
    page.goto(f"/warehouse/tables/{title}")
    return str(page.locator("h1 .state").inner_text()).strip()


def walk_as_viewer(page: Any, morning: Morning) -> None:
    """See everything that an editor sees, without a button."""
    look_into(page, morning)
    assert page.frame_locator("iframe").get_by_role("button").count() == 0
    for path in (f"/quarantine/{morning.row}", "/quarantine?feed=leads", "/tables/core.leads", f"/tables/{MART}"):
        page.goto(f"/warehouse{path}")
        assert page.get_by_role("button").count() == 0
        assert page.locator("form[method=post] input:not([type=hidden])").count() == 0
    assert len(builds_on(page)) == 1
    # Airflow's own page offers everybody its form, and refuses it
    page.goto(f"/dags/{HOURLY}")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "dagRuns" in answer.url) as answered:
        page.get_by_test_id("trigger-dag-button").click()
        page.get_by_test_id("trigger-dag-submit").click()
    assert answered.value.status == 403


def release(page: Any, morning: Morning) -> None:
    """Release the row, and follow the link to the DAG that publishes it."""
    look_into(page, morning)
    frame = page.frame_locator("iframe")
    frame.get_by_label("Reason").fill(REASON)
    frame.get_by_role("button", name="Release this row").click()
    frame.get_by_role("heading", name="Release: 1 of 1 done").wait_for()
    frame.get_by_role("link", name=HOURLY).click()
    page.wait_for_url(re.compile(f"/dags/{HOURLY}"))


def test_a_working_day_without_a_terminal(
    morning: Morning, stack: Settings, admin: psycopg.Connection, chromium: Any
) -> None:
    """The viewer walks first; then the editor releases, replays, and watches the mart follow."""
    address = f"http://{stack.address('airflow').split('@')[-1]}"
    look = {"viewport": {"width": 1440, "height": 1000}}
    viewer, page = (log_in(chromium, address, stack, user, **look) for user in ("viewer", "editor"))
    for each in (viewer, page):
        each.set_default_timeout(120_000)  # Airflow's own pages on a busy machine
    walk_as_viewer(viewer, morning)

    release(page, morning)
    before = builds_of(admin)
    # the hour in which the source changed the row
    trigger(page, morning.changed_at - timedelta(minutes=30), morning.changed_at + timedelta(minutes=30))
    wait_until(lambda: "window" in newest_load(page, "core.leads"), "the replay has not published")
    modes = admin.execute("select mode, inserted from ops.load where feed = 'leads' order by extraction").fetchall()
    assert modes == [("delta", 5), ("window", 1)]

    # the mart follows by itself, and its page shows the build and its row
    wait_until(lambda: len(builds_on(page)) > before, "the mart has not followed the replay")
    assert [inserted for _, inserted in builds_on(page)] == ["1", "5"]
    query = "select count(*) from marts.lead_attribution where created_at = %s"
    assert admin.execute(query, [morning.created_at]).fetchall() == [(1,)]

    # a replay leaves the watermark, so the table is stale until new rows are loaded
    assert state_of(page, "core.leads") == "stale"
    page.goto(f"/dags/{HOURLY}")
    trigger(page)
    # its last check found the released row, and leads that share an e-mail address
    wait_until(lambda: state_of(page, "core.leads") == "warned", "core.leads is still stale")
    for each in (page, viewer):
        each.goto(f"/warehouse/quarantine/{morning.row}")
        assert "Released by airflow:editor" in each.locator(".note").inner_text()
        assert REASON in each.locator(".note").inner_text()
        each.context.close()
