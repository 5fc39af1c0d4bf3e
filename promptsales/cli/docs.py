"""`promptsales docs`: pages that are made of the files they describe."""

import typer

from promptsales.cli.output import console
from promptsales.marts.dictionary import PAGE, page

app = typer.Typer()


@app.command()
def docs() -> None:
    """Write docs/marts.md, the data dictionary, from the catalogue of marts."""
    PAGE.write_text(page(), encoding="utf-8")
    console.print(f"{PAGE} written")
