"""The results of the loads of one run."""

import psycopg
from psycopg.rows import class_row

from promptsales.feeds.models import LoadResult
from promptsales.feeds.state import statement


def loads_of(warehouse: psycopg.Connection, triggered_by: str) -> list[LoadResult]:
    """Return the loads that a run or command published, ordered by feed; a load that failed has no result.

    Args:
        warehouse: the warehouse, as a role that reads ``ops``.
        triggered_by: the value passed to `extract`: ``airflow:<dag id>/<run id>``.
    """
    with warehouse.cursor(row_factory=class_row(LoadResult)) as cursor:
        return cursor.execute(statement("report"), {"triggered_by": triggered_by}).fetchall()
