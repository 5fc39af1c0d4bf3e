"""Run the queries of all dashboards, and render one HTML page without external resources."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import psycopg
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from psycopg.rows import tuple_row

from promptsales.printable import printable
from promptsales.report.charts import STATUSES, draw
from promptsales.report.dashboards import DASHBOARDS, OPERATOR, Dashboard, Panel
from promptsales.report.labels import cell, is_number, label

HERE = Path(__file__).parent
# a table with more columns does not fit into half a row
_MOST_OF_HALF = 5


def render(reader: psycopg.Connection, now: datetime) -> str:
    """Return the page.

    Args:
        reader: a connection as a reader of the marts.
        now: the time shown at the top of the page.
    """
    values = _query_values(reader)
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    dashboards = [_dashboard(reader, dashboard, values) for dashboard in (*DASHBOARDS, OPERATOR)]
    return environment.get_template("page.html.j2").render(
        statuses=STATUSES, dashboards=dashboards, now=cell("now", now), until=values["until"]
    )


def _query_values(reader: psycopg.Connection) -> dict[str, Any]:
    """Return the parameters of the queries: the last complete day, and the currencies with the largest amounts."""
    until = reader.execute("select max(date_day) from marts.campaign_performance_daily").fetchone()
    currency = _run(reader, "currency", {})[1]
    deals = _run(reader, "deal_currency", {})[1]
    return {
        "until": until[0] if until else None,
        "currency": currency[0][0] if currency else "USD",
        "deal_currency": deals[0][0] if deals else "USD",
        "pipeline_day": deals[0][1] if deals else None,
    }


def _dashboard(reader: psycopg.Connection, dashboard: Dashboard, values: dict[str, Any]) -> dict[str, Any]:
    results = [_run(reader, panel.query, values) for panel in dashboard.panels]
    shapes = zip(dashboard.panels, results, strict=True)
    wide = find_wide([panel.kind == "table" and len(columns) > _MOST_OF_HALF for panel, (columns, _) in shapes])
    panels = [
        _panel(panel, *result, is_wide, values)
        for panel, result, is_wide in zip(dashboard.panels, results, wide, strict=True)
    ]
    return {"title": dashboard.title, "answers": dashboard.answers, "panels": panels}


def find_wide(is_wide: Sequence[bool]) -> list[bool]:
    """Return which panels take a row of their own: those that must, and those that would leave half a row empty."""
    found: list[bool] = []
    waiting = False
    for index, wide in enumerate(is_wide):
        has_partner = waiting or (index + 1 < len(is_wide) and not is_wide[index + 1])
        waiting = not wide and not waiting and has_partner
        found.append(wide or not has_partner)
    return found


def _panel(
    panel: Panel, columns: Sequence[str], rows: Sequence[Sequence[Any]], is_wide: bool, values: dict[str, Any]
) -> dict[str, Any]:
    title = printable(panel.title.format(**{name: label("currency", value) for name, value in values.items()}))
    drawn = table(columns, rows) if panel.kind == "table" else draw(panel.kind, columns, rows, is_wide)
    return {"title": title, "is_wide": is_wide, "drawn": Markup(drawn)}  # noqa: S704 -- escaped


def _run(reader: psycopg.Connection, name: str, values: dict[str, Any]) -> tuple[list[str], list[Any]]:
    with reader.cursor(row_factory=tuple_row) as cursor:
        cursor.execute((HERE / "sql" / f"{name}.sql").read_bytes(), values)
        return [column.name for column in cursor.description or ()], cursor.fetchall()


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table; a column that holds numbers is aligned to the right, missing values included."""
    if not rows:
        return '<p class="empty">no data yet</p>'
    numeric = [any(is_number(row[place]) for row in rows) for place in range(len(columns))]
    marks = [' class="number"' if each else "" for each in numeric]
    head = "".join(f"<th{mark}>{escape(column)}</th>" for column, mark in zip(columns, marks, strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{mark}>{escape(cell(column, value))}</td>"
            for column, value, mark in zip(columns, row, marks, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
