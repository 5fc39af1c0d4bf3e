"""`promptsales docs`: pages that are made of the files they describe."""

import typer

from promptsales.cli.output import show_line
from promptsales.marts.dictionary import PAGE, page
from promptsales.marts.graph import PICTURE, picture

app = typer.Typer()


@app.command()
def docs() -> None:
    """Write docs/marts.md, the data dictionary, and docs/models.svg, what is made of what, from contracts and marts."""
    for path, text in ((PAGE, page()), (PICTURE, picture())):
        path.write_text(text, encoding="utf-8")
        show_line(f"{path} written")
