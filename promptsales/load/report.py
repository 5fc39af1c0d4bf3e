"""The results of the loads of one run."""

from pathlib import Path

import psycopg
from psycopg.rows import class_row

from promptsales.feeds.models import LoadResult


def loads_of(warehouse: psycopg.Connection, triggered_by: str) -> list[LoadResult]:
    """Return the loads that a run or command published, ordered by feed; a load that failed has no result.

    Args:
        warehouse: the warehouse, as a role that reads ``ops``.
        triggered_by: the value passed to `extract`: ``airflow:<dag id>/<run id>``.
    """
    with warehouse.cursor(row_factory=class_row(LoadResult)) as cursor:
        return cursor.execute(
            Path(__file__).with_suffix(".sql").read_bytes(), {"triggered_by": triggered_by}
        ).fetchall()
