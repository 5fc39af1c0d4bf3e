"""The history of all loads and builds, with filters; `promptsales loads` prints the same list."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from promptsales.monitoring.loads import STATES, TRIGGERS, LoadFilter, State, Trigger, read_loads
from promptsales.webui import catalogue
from promptsales.webui.access import Viewer
from promptsales.webui.paging import Page, paged
from promptsales.webui.reading import cached
from promptsales.webui.rendering import render

router = APIRouter()

# how far back each choice reaches
PERIODS: dict[str, timedelta | None] = {
    "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30), "all": None,
}  # fmt: skip


@router.get("/loads")
def show_loads(
    request: Request,
    user: Viewer,
    name: str = "",
    state: Literal[State, ""] = "",
    trigger: Literal[Trigger, ""] = "",
    since: Literal["1d", "7d", "30d", "all"] = "7d",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """Show one page of the loads."""
    values: dict[str, Any] = {"name": name or None, "state": state or None, "trigger": trigger or None}
    asked = Page(page)

    def read(warehouse: Any) -> dict[str, Any]:
        back = PERIODS[since]
        chosen = LoadFilter(**values, since=datetime.now(UTC) - back if back else None)
        listed = read_loads(warehouse, chosen, asked.size, asked.skip)
        return {"total": listed.total, "loads": [load._asdict() for load in listed.loads]}

    listed = cached("loads", {**values, "since": since, "page": page}, read)
    chosen = {"name": name, "state": state, "trigger": trigger, "since": since}
    return render(
        request, "loads.html", user, loads=listed["loads"],
        paging=paged(asked, listed["total"], len(listed["loads"]), chosen),
        chosen=chosen, names=sorted(catalogue.tables()), states=STATES, triggers=TRIGGERS, periods=list(PERIODS),
        titles={table.name: table.title for table in catalogue.tables().values()},
    )  # fmt: skip
