"""Read the pipeline's books through the response cache, as a role that may read nothing else."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from promptsales.cache.responses import Responses, forget
from promptsales.webui.connections import cache, warehouse

SQL = Path(__file__).parent / "sql"

# how long a page may lag behind the books, in seconds; a load, a build and a release show at once
FRESH_S = 5


def query(statement: str, /, **values: Any) -> list[dict[str, Any]]:
    """Return the rows of ``sql/<statement>.sql`` as plain JSON values, from the cache if it has them."""
    rows: list[dict[str, Any]] = cached(statement, values, lambda connection: execute(connection, statement, values))
    return rows


def execute(connection: psycopg.Connection, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of ``sql/<name>.sql``."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute((SQL / f"{name}.sql").read_bytes(), values).fetchall()


def cached(route: str, values: Mapping[str, Any], compute: Callable[[psycopg.Connection], Any]) -> Any:
    """Return a response from the cache, or compute it in a session of the page's role; always as plain JSON values."""

    def read() -> Any:
        with warehouse("warehouse_page") as connection:
            return compute(connection)

    with cache() as client:
        return Responses(client).read(f"page_{route}", values, BOOKS, read, FRESH_S)


# the mark under which every response of the page is cached
BOOKS = ("ops.books",)


def forget_pages(tables: Iterable[str] = ()) -> None:
    """Forget the cached pages, and the responses computed from tables that were changed by hand."""
    with cache() as client:
        forget(client, (*BOOKS, *tables))
