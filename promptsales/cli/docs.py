"""`promptsales docs`: generate what describes contracts and marts: documentation pages and datasets."""

import typer

from promptsales.cli.output import show_line
from promptsales.marts import dbt
from promptsales.marts.datasets import datasets
from promptsales.marts.dictionary import PAGE, page
from promptsales.marts.graph import PICTURE, picture

app = typer.Typer()


@app.command()
def docs() -> None:
    """Generate the data dictionary, the picture of the lineage, files for dbt, and the datasets of bi/.

    All come from the contracts and the `mart.yml` files.
    """
    dbt.FOLDER.mkdir(exist_ok=True)
    of_dbt = {dbt.FOLDER / name: text for name, text in dbt.files().items()}
    for path, text in {PAGE: page(), PICTURE: picture(), **of_dbt, **datasets()}.items():
        path.write_text(text, encoding="utf-8")
        show_line(f"{path} written")
