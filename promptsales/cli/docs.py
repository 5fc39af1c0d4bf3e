"""`promptsales docs`: pages that are generated from the files they describe."""

import typer

from promptsales.cli.output import show_line
from promptsales.marts.dictionary import PAGE, page
from promptsales.marts.graph import PICTURE, picture

app = typer.Typer()


@app.command()
def docs() -> None:
    """Write docs/reference/marts.md (the data dictionary) and docs/models.svg (which table is built from which)."""
    for path, text in ((PAGE, page()), (PICTURE, picture())):
        path.write_text(text, encoding="utf-8")
        show_line(f"{path} written")
