"""Compare the metrics of dashboards with what marts hold."""

import psycopg
from psycopg import sql

from promptsales.specs.mart import Mart, MartColumn, catalogue


def differing_metrics(admin: psycopg.Connection) -> dict[str, int]:
    """Return in how many rows each metric, computed over the rows of the mart's grain, differs from its column.

    Metrics that never differ are left out. A column without any value proves nothing: it has -1.
    """
    compared = {
        f"{mart.mart}.{column.name}": compare(admin, mart, column)
        for mart in catalogue().values()
        for column in mart.columns
        if column.metric
    }
    return {
        name: differing if values else -1 for name, (values, differing) in compared.items() if differing or not values
    }


def compare(admin: psycopg.Connection, mart: Mart, column: MartColumn) -> tuple[int, int]:
    """Return how many rows have a value, and in how many the metric differs from it."""
    grain = mart.grain or [other.name for other in mart.columns if other.additive is None]
    query = sql.SQL(
        "select count(held), count(*) filter (where computed::{kind} is distinct from held) "
        "from (select {metric} as computed, min({column}) as held from {mart} group by {grain})"
    ).format(
        kind=sql.SQL(column.type),
        metric=sql.SQL(column.metric),
        column=sql.Identifier(column.name),
        mart=sql.Identifier("marts", mart.mart),
        grain=sql.SQL(", ").join(map(sql.Identifier, grain)),
    )
    ((values, differing),) = admin.execute(query).fetchall()
    return values, differing
