"""The stream: its three hops, events per second and latency, dead letters, and live spend from Redis."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse
from redis import RedisError

from promptsales.cache.counters import read_day
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.webui import catalogue, shown
from promptsales.webui.access import Viewer, may_edit
from promptsales.webui.charts import Bar, bars
from promptsales.webui.connections import cache
from promptsales.webui.paging import Page, paged
from promptsales.webui.reading import query
from promptsales.webui.rendering import render

router = APIRouter()

# hours that the charts cover, and campaigns in the live table
HOURS, CAMPAIGNS = 6, 20


@router.get("/stream")
def show_stream(request: Request, user: Viewer) -> HTMLResponse:
    """Show how far each connector is behind, its last hours, its dead letters, and live spend."""
    connectors = sorted({contract.source.system for contract in stream_contracts().values()})
    history = query("stream_history", connectors=connectors, hours=HOURS)
    letters = query("letters", topic=None, limit=10, skip=0)
    return render(
        request, "stream.html", user, hops=query("hops", connectors=connectors), topics=read_topics(), hours=HOURS,
        charts={name: draw([row for row in history if row["connector"] == name]) for name in connectors},
        letters=letters, paging=paged(Page(1, 10), letters[0]["total"] if letters else 0, len(letters), {}),
        live=read_live(), is_editor=may_edit(user, catalogue.STREAM_DAG),
        actions=query("actions", feed=None, actions=["replay", "drop"], limit=10),
    )  # fmt: skip


@router.get("/stream/live.json")
def show_live(user: Viewer) -> JSONResponse:
    """Return live spend by campaign, which the page asks for every two seconds."""
    return JSONResponse(read_live())


def read_live() -> list[dict[str, Any]]:
    """Return today's figures of the active campaigns that changed last, from Redis."""
    campaigns = query("campaigns", limit=CAMPAIGNS)
    try:
        with cache() as client:
            days = read_day(client, [row["campaign_id"] for row in campaigns])
    except RedisError:
        # the page shows the campaigns without figures
        days = [{} for _ in campaigns]
    return [
        {
            "id": row["campaign_id"], "name": row["name"] or row["campaign_id"], "currency": row["currency_code"] or "",
            "budget": row["budget"], "level": row["budget_level_pct"],
            **{name: _number(figures.get(name)) for name in ("spend", "impressions", "clicks", "conversions")},
        }
        for row, figures in zip(campaigns, days, strict=True)
    ]  # fmt: skip


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def read_topics() -> list[dict[str, Any]]:
    """Return the topics with the tables that follow them."""
    tables = {
        table.spec.topic: table.title for table in catalogue.tables().values() if isinstance(table.spec, StreamContract)
    }
    return [{**row, "table": tables.get(row["topic"])} for row in query("topics")]


def draw(looks: list[dict[str, Any]]) -> list[Any]:
    """Return the charts of one connector."""
    if len(looks) < 2:
        return []
    charts = (
        ("Events per second", "events_per_s", ""),
        ("Unread events on the bus", "bus_events", ""),
        ("From commit to warehouse", "latency_s", " s"),
    )
    return [bars(label, [_bar(look, look[name], unit) for look in looks], unit) for label, name, unit in charts]


def _bar(look: dict[str, Any], value: float | None, unit: str) -> Bar:
    at = shown.parse(look["noted_at"])
    return Bar(value, f"{at:%H:%M} UTC: {shown.number(value, 2)}{unit}")
