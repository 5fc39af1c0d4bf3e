"""Report what one run built of each mart."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

_BUILT = """
    select mart, is_full, staged, inserted, updated, deleted, restated, checks_passed, checks_failed, complete_through,
           started_at, published_at
    from ops.mart_build where triggered_by = %s order by build_id
"""


def built_by(warehouse: psycopg.Connection, triggered_by: str) -> list[dict[str, Any]]:
    """Return the marts that one run or command published, in the order of publication.

    Args:
        warehouse: a connection as a role that reads ``ops``.
        triggered_by: the value passed to the build: ``airflow:<dag id>/<run id>``.
    """
    with warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_BUILT, [triggered_by]).fetchall()
