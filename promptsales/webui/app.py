"""The Warehouse page as one FastAPI app: its routes, the headers of every response, and its errors as pages."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from promptsales.errors import ConfigError, PipelineError, TransientError
from promptsales.webui import dead_letters, loads, overview, quarantine, stream, table
from promptsales.webui.access import viewer
from promptsales.webui.rendering import render

_STATIC = Path(__file__).parent / "static"
# only these are served; a path of a request never reaches the file system
_FILES = {path.name: path for path in _STATIC.iterdir() if path.suffix in (".css", ".js", ".svg")}

# everything comes from this server, and only Airflow's own pages may show the page in a frame
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app() -> FastAPI:
    """Return the app, which Airflow's API server mounts."""
    # without FastAPI's pages about the app, which load scripts from other hosts
    app = FastAPI(title="Warehouse", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(viewer)])
    app.middleware("http")(_add_headers)
    app.add_exception_handler(StarletteHTTPException, _show_refusal)
    app.add_exception_handler(RequestValidationError, _show_incomplete)
    app.add_exception_handler(PipelineError, _show_error)
    for module in (overview, table, quarantine, loads, stream, dead_letters):
        app.include_router(module.router)
    app.add_api_route("/static/{name}", _serve, methods=["GET"])
    return app


async def _add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


def _serve(name: Annotated[str, "a file of ours"]) -> FileResponse:
    """Serve a style sheet, a script or an icon."""
    if name not in _FILES:
        raise HTTPException(404, f"there is no file {name}")
    return FileResponse(_FILES[name])


async def _show_refusal(request: Request, error: Exception) -> Response:
    """Show why a request was refused; without a login, where to log in."""
    code = error.status_code if isinstance(error, StarletteHTTPException) else 500
    return render(request, "error.html", status=code, code=code, text=str(getattr(error, "detail", "")))


async def _show_incomplete(request: Request, error: Exception) -> Response:
    """Show which field of a form or an address is missing or not valid, such as no row that was chosen."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    fields = ", ".join(sorted({str(fault["loc"][1]) for fault in faults if len(fault["loc"]) > 1}))
    text = f"choose or fill in: {fields or 'the fields of the form'}; then try again"
    return render(request, "error.html", status=422, code=422, text=text)


async def _show_error(request: Request, error: Exception) -> Response:
    """Show one of our own errors: 503 if it may pass, 409 if somebody must act."""
    code = 503 if isinstance(error, TransientError) else 409 if isinstance(error, ConfigError) else 500
    return render(request, "error.html", status=code, code=code, text=str(error))
