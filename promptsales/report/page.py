"""Run the queries of all dashboards, and render one HTML page without external resources."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

import psycopg
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from psycopg.rows import tuple_row

from promptsales.printable import printable
from promptsales.report.charts import chart
from promptsales.report.dashboards import DASHBOARDS, OPERATOR, Dashboard, Panel

HERE = Path(__file__).parent


def render(reader: psycopg.Connection, now: datetime) -> str:
    """Return the page.

    Args:
        reader: a connection as a reader of the marts.
        now: the time shown at the top of the page.
    """
    values = _query_values(reader)
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    dashboards = [_dashboard(reader, dashboard, values) for dashboard in (*DASHBOARDS, OPERATOR)]
    return environment.get_template("page.html.j2").render(dashboards=dashboards, now=_cell(now), until=values["until"])


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
    panels = [_panel(reader, panel, values) for panel in dashboard.panels]
    return {"title": dashboard.title, "answers": dashboard.answers, "panels": panels}


def _panel(reader: psycopg.Connection, panel: Panel, values: dict[str, Any]) -> dict[str, Any]:
    columns, rows = _run(reader, panel.query, values)
    drawn = _table(columns, rows) if panel.kind == "table" else chart(panel.kind, columns, rows)
    return {"title": printable(panel.title.format(**values)), "kind": panel.kind, "drawn": Markup(drawn)}  # noqa: S704 -- escaped


def _run(reader: psycopg.Connection, name: str, values: dict[str, Any]) -> tuple[list[str], list[Any]]:
    with reader.cursor(row_factory=tuple_row) as cursor:
        cursor.execute((HERE / "sql" / f"{name}.sql").read_bytes(), values)
        return [column.name for column in cursor.description or ()], cursor.fetchall()


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return '<p class="empty">no data yet</p>'
    head = "".join(f"<th{_class(value)}>{escape(column)}</th>" for column, value in zip(columns, rows[0], strict=True))
    body = "".join("<tr>" + "".join(map(_td, row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _td(value: Any) -> str:
    return f"<td{_class(value)}>{escape(_cell(value))}</td>"


def _class(value: Any) -> str:
    return ' class="number"' if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else ""


def _cell(value: Any) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int | Decimal) else printable(value)
