"""Airflow's plugin for the Warehouse page: the app, its entry in the navigation, and its tabs on DAGs and tasks.

Every process of Airflow imports this module, so the app itself is imported with its first request.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/warehouse"

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


@cache
def _load() -> App:
    from promptsales.webui.app import create_app

    return create_app()


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve a request of the Warehouse page."""
    await _load()(scope, receive, send)


def _tab(destination: str, href: str) -> dict[str, str]:
    return {
        "name": "Warehouse",
        "href": f"{PREFIX}/{href}",
        "destination": destination,
        "url_route": f"warehouse-{destination.replace('_', '-')}",
        "icon": f"{PREFIX}/static/icon.svg",
        "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
    }


class WarehousePage(AirflowPlugin):
    """Register the page."""

    name = "warehouse_page"
    fastapi_apps = [  # noqa: RUF012 - Airflow declares it so
        {"app": app, "url_prefix": PREFIX, "name": "Warehouse"}
    ]
    external_views = [  # noqa: RUF012
        {**_tab("nav", ""), "url_route": "warehouse", "nav_top_level": True},
        _tab("dag", "dags/{DAG_ID}"),
        _tab("dag_run", "dags/{DAG_ID}/runs/{RUN_ID}"),
        _tab("task", "dags/{DAG_ID}/tasks/{TASK_ID}"),
    ]
