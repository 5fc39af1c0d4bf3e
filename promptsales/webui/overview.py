"""The overview: what is wrong and the next step, then one line per table, the worst first."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from promptsales.monitoring.books import find_in_books
from promptsales.monitoring.findings import Finding
from promptsales.settings import settings
from promptsales.webui import catalogue
from promptsales.webui.access import Viewer
from promptsales.webui.catalogue import Table
from promptsales.webui.reading import cached, query
from promptsales.webui.rendering import render

router = APIRouter()

# the order in which states are shown, and what each means
STATES = {
    "failing": "a check failed that blocks its batches",
    "stale": "older than four times its interval",
    "late": "older than twice its interval",
    "unknown": "how far it is complete is not known",
    "never loaded": "no load or build has published it",
    "quarantine": "up to date, with rows in quarantine",
    "warned": "up to date; a check warns",
    "fresh": "up to date",
}


def read_lines() -> list[dict[str, Any]]:
    """Return one line per table, the worst state first."""
    known = catalogue.tables()
    lines = [
        {**row, "table": known[row["name"]], "state": state_of(known[row["name"]], row)}
        for row in query("overview", names=list(known))
    ]
    order = list(STATES)
    return sorted(lines, key=lambda line: (order.index(line["state"]), line["table"].title))


def state_of(table: Table, row: dict[str, Any]) -> str:
    """Return the state of a table by its line of the query."""
    age = row["lag_s"]
    if row["checks_failed"]:
        return "failing"
    if age is None:
        return "unknown" if row["loaded_at"] else "never loaded"
    if age > table.stale_after_s:
        return "stale"
    if table.expected_every_s is not None and age > table.expected_every_s:
        return "late"
    return "quarantine" if row["quarantined"] else "warned" if row["checks_warned"] else "fresh"


def read_findings() -> list[Finding]:
    """Return what `promptsales doctor` finds in the warehouse's books."""
    zone = settings().reporting_timezone
    rows = cached("findings", {"zone": zone}, lambda warehouse: list(find_in_books(warehouse, zone)))
    return [Finding(*row) for row in rows]


@router.get("/")
def show_overview(request: Request, user: Viewer) -> HTMLResponse:
    """Show every table."""
    findings = [(finding, catalogue.table_of(finding)) for finding in read_findings()]
    return render(request, "overview.html", user, lines=read_lines(), findings=findings, states=STATES)


@router.get("/dags/{dag_id}")
@router.get("/dags/{dag_id}/runs/{run_id}")
@router.get("/dags/{dag_id}/tasks/{task_id}")
def show_dag(request: Request, user: Viewer, dag_id: str, run_id: str = "", task_id: str = "") -> HTMLResponse:
    """Show the tables that a DAG, or one of its tasks, fills; Airflow shows this as a tab."""
    feed = task_id.partition(".")[0]
    lines = [line for line in read_lines() if line["table"].dag_id == dag_id]
    chosen = [line for line in lines if line["name"] == feed] or lines
    return render(request, "dag.html", user, dag_id=dag_id, lines=chosen, states=STATES)
