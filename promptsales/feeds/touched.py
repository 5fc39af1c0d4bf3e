"""Compose what notes the days that marts must rebuild: one statement for loads, the stream and erasures."""

from psycopg import sql


def compose_touched(rows: sql.Composable) -> sql.Composed:
    """Compose the statement that notes days in ``ops.touched``, or notes them again.

    Args:
        rows: a query for the core table's name, an entity and a day; each row at most once.
    """
    return sql.SQL("""insert into ops.touched (core_table, entity_id, day)
            {rows}
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()""").format(rows=rows)
