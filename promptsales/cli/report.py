"""`promptsales report`: write the dashboards as one HTML page."""

import os
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
        text = render(reader, datetime.now(UTC))
    # business figures: a new file is not for other users, nor is an old one in the state folder
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        if out is None:
            os.fchmod(file.fileno(), 0o600)
        file.write(text)
    return path
