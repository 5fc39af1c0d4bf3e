"""`promptsales docs`: generate the documentation pages that describe contracts and marts."""

import typer

from promptsales.cli.output import show_line
from promptsales.marts import dbt
from promptsales.marts.dictionary import PAGE, page
from promptsales.marts.graph import PICTURE, picture

app = typer.Typer()


@app.command()
def docs() -> None:
    """Generate docs/reference/marts.md, the data dictionary, docs/models.svg, the lineage, and files for dbt.

    All come from the contracts and the `mart.yml` files.
    """
    dbt.FOLDER.mkdir(exist_ok=True)
    for path, text in ((PAGE, page()), (PICTURE, picture()), *((dbt.FOLDER / n, t) for n, t in dbt.files().items())):
        path.write_text(text, encoding="utf-8")
        show_line(f"{path} written")
