"""`promptsales report`: write the dashboards as one HTML page."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from promptsales.cli.output import connected, show_line
from promptsales.settings import settings

app = typer.Typer()


@app.command()
def report(
    out: Annotated[Path | None, typer.Option(help="file to write; default: report.html in the state folder")] = None,
) -> None:
    """Write ten dashboards of the marts as one HTML page without external resources."""
    show_line(f"{write(out)} written")


def write(out: Path | None = None) -> Path:
    """Write the page and return its path."""
    from promptsales.report.page import render

    path = out or settings().state / "report.html"
    with connected("bi", "look") as reader:
        path.write_text(render(reader, datetime.now(UTC)), encoding="utf-8")
    return path
