"""What one run of the pipeline did to each feed."""

from pathlib import Path

import psycopg
from psycopg.rows import class_row

from promptsales.feeds.models import LoadResult


def loads_of(warehouse: psycopg.Connection, triggered_by: str) -> list[LoadResult]:
    """The loads that one run or command published, by feed; nothing for a feed whose load failed.

    Args:
        warehouse: the warehouse, as a role that reads ``ops``.
        triggered_by: as it was given to extract: ``airflow:<dag id>/<run id>``.
    """
    with warehouse.cursor(row_factory=class_row(LoadResult)) as cursor:
        return cursor.execute(
            Path(__file__).with_suffix(".sql").read_bytes(), {"triggered_by": triggered_by}
        ).fetchall()
