"""The page of one table: its loads, checks, quarantine, contract and lineage."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from promptsales.errors import ConfigError
from promptsales.monitoring.loads import LoadFilter, read_loads
from promptsales.specs.mart import Mart
from promptsales.webui import catalogue, shown
from promptsales.webui.access import Viewer, may_edit
from promptsales.webui.catalogue import Table
from promptsales.webui.charts import Bar, bars
from promptsales.webui.overview import STATES, read_findings, read_lines
from promptsales.webui.reading import cached, query
from promptsales.webui.rendering import render

router = APIRouter()

# loads on a table's page; the Loads page has the others
_LOADS = 40


@router.get("/tables/{name}")
def show_table(request: Request, user: Viewer, name: str) -> HTMLResponse:
    """Show a table."""
    try:
        table = catalogue.find_table(name)
    except ConfigError as error:
        raise HTTPException(404, str(error)) from None
    line = next(line for line in read_lines() if line["name"] == table.name)
    findings = [finding for finding in read_findings() if catalogue.table_of(finding) == table.name]
    loads = read_recent(table.name)
    return render(
        request, "table.html", user, table=table, line=line, states=STATES, findings=findings, loads=loads,
        charts=draw(loads["loads"]), rules=read_rules(table), columns=catalogue.columns(table),
        inputs=link_all(catalogue.inputs(table)), outputs=link_all(catalogue.outputs(table)),
        sources=catalogue.sources(table), quarantined=query("quarantine", feed=table.name, rule=None, limit=5, skip=0),
        audits=query("audits", name=table.name),
        restated=query("restatements", name=table.name) if isinstance(table.spec, Mart) else [],
        is_editor=may_edit(user, table.dag_id),
    )  # fmt: skip


def read_recent(name: str) -> dict[str, Any]:
    """Return the newest loads of a table, and how many there are."""
    chosen = LoadFilter(name)
    page: dict[str, Any] = cached(
        "recent_loads", {"name": name}, lambda warehouse: _as_dict(read_loads(warehouse, chosen, _LOADS))
    )
    return page


def _as_dict(page: Any) -> dict[str, Any]:
    return {"total": page.total, "loads": [load._asdict() for load in page.loads]}


def draw(loads: list[dict[str, Any]]) -> list[Any]:
    """Return the charts of rows and seconds of the loads, oldest first."""
    oldest_first = loads[::-1]
    if len(oldest_first) < 2:
        return []
    return [
        bars("Rows changed per load", [_bar(load, _changed(load), "rows") for load in oldest_first]),
        bars("Duration per load", [_bar(load, load["seconds"], "s") for load in oldest_first], " s"),
    ]


def _changed(load: dict[str, Any]) -> float | None:
    return None if load["inserted"] is None else load["inserted"] + load["updated"]


def _bar(load: dict[str, Any], value: float | None, unit: str) -> Bar:
    at = shown.parse(load["published_at"])
    return Bar(
        value, f"{at:%Y-%m-%d %H:%M} UTC: {shown.number(value, 0 if unit == 'rows' else 1)} {unit}", load["state"]
    )


def read_rules(table: Table) -> list[dict[str, Any]]:
    """Return the rules of a table with their results, the failing ones first; a rule of the suite may have none yet."""
    known = table.rules
    checked = query("rules", name=table.name)
    checked_rules = {row["rule"] for row in checked}
    blank: dict[str, Any] = {"checked_at": None, "history": [], "failed_since": None}
    rows = [*checked, *({"rule": rule, **blank} for rule in known if rule not in checked_rules)]
    return [{**row, "text": known[row["rule"]].description if row["rule"] in known else ""} for row in rows]


def link_all(names: list[str]) -> list[tuple[str, str | None]]:
    """Return names of relations, each with the name of its page if it has one."""
    pages = {table.title for table in catalogue.tables().values()}
    return [(name, name if name in pages else None) for name in names]
