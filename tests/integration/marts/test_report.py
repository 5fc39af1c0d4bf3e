"""The page of dashboards contains everything, and loads nothing from elsewhere."""

import re
from datetime import UTC, datetime

import psycopg

from promptsales.report.dashboards import DASHBOARDS
from promptsales.report.page import render
from tests.integration.marts.conftest import Build
from tests.integration.marts.test_marts import fill
from tests.integration.provision.conftest import Connect

NOW = datetime(2024, 3, 11, 6, tzinfo=UTC)


def test_the_page_has_every_dashboard_and_asks_for_nothing(
    admin: psycopg.Connection, connect: Connect, run: Build
) -> None:
    with connect("bi") as reader:
        empty = render(reader, NOW)
    fill(admin)
    admin.execute("update core.campaigns set name = %s where name = 'Campaign 1'", ["[/]<b>\x1b[2J\u202e"])
    run()
    with connect("bi") as reader:
        page = render(reader, NOW)
    assert len(DASHBOARDS) == 10
    for text in (empty, page):
        assert all(f"<h2>{dashboard.title}</h2>" in text for dashboard in DASHBOARDS)
        assert re.findall(r"<script|<link|<img|@import|url\(|(?:src|href)\s*=\s*[\"'](?!#)", text) == []
    charts = sum(panel.kind != "table" for dashboard in DASHBOARDS for panel in dashboard.panels)
    # each in two sizes
    assert page.count("<svg") == empty.count("<svg") == 2 * charts
    assert "no data yet" not in page
    assert "<td>Campaign 2</td>" in page
    assert r"<td>[/]&lt;b&gt;\x1b[2J\u202e</td>" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
