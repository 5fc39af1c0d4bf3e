"""Report what one run built of each mart."""

from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

_BUILT = (Path(__file__).parent / "sql" / "built.sql").read_bytes()


def built_by(warehouse: psycopg.Connection, triggered_by: str) -> list[dict[str, Any]]:
    """Return the marts that one run or command published, in the order of publication.

    Args:
        warehouse: a connection as a role that reads ``ops``.
        triggered_by: the value passed to the build: ``airflow:<dag id>/<run id>``.
    """
    with warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_BUILT, [triggered_by]).fetchall()
