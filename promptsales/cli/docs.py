"""`promptsales docs`: generate the documentation pages that describe contracts and marts."""

import typer

from promptsales.cli.output import show_line
from promptsales.marts.dictionary import PAGE, page
from promptsales.marts.graph import PICTURE, picture

app = typer.Typer()


@app.command()
def docs() -> None:
    """Generate docs/reference/marts.md, the data dictionary, and docs/models.svg, the lineage.

    Both come from the contracts and the `mart.yml` files.
    """
    for path, text in ((PAGE, page()), (PICTURE, picture())):
        path.write_text(text, encoding="utf-8")
        show_line(f"{path} written")
