"""The statements of a mart that is a table, in the order in which it needs them."""

from collections.abc import Iterator

from psycopg import sql

from promptsales.erasure import removal
from promptsales.marts import publish
from promptsales.provision.marts import staging_script
from promptsales.specs.mart import Mart


def statements(mart: Mart) -> Iterator[tuple[str, sql.Composable]]:
    """Yield the title and the text of each statement of a mart."""
    yield "provision: the staging table", staging_script(mart)
    yield f"publish: bring marts.{mart.mart} to what staging holds", publish.merge(mart)
    yield "publish: note where the mart stands", publish.note_state(mart)
    yield "erase: touch the periods of rows that name a person", removal.compose_mart_touch(mart)
