"""Render a template, with the filters and the values that every page needs."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from promptsales.webui import shown
from promptsales.webui.access import create_token

PREFIX = "/warehouse"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "when": shown.when, "span": shown.span, "number": shown.number, "size": shown.size, "steps": shown.steps,
        "value": shown.json_value, "soft": shown.soft, "run": shown.run_link,
    }  # fmt: skip
    return environment


def render(
    request: Request, template: str, user: BaseUser | None = None, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return a page.

    Args:
        request: gives the path under which Airflow and this app are mounted.
        template: the file in ``templates/``.
        user: who sees the page; None on an error page.
        status: of the response.
        values: what the template shows.
    """
    here = str(request.scope.get("root_path", "")).rstrip("/")
    token = create_token(user, datetime.now(UTC).date()) if user else ""
    page = _environment().get_template(template)
    text = page.render(
        here=here, airflow=here.removesuffix(PREFIX), token=token, path=request.url.path.removeprefix(here),
        user_name=user.get_name() if user else "", now=datetime.now(UTC), **values,
    )  # fmt: skip
    return HTMLResponse(text, status_code=status)
