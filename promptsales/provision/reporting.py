"""What views must know of the settings: the reporting zone, as a view of its own that provisioning replaces."""

import psycopg
from psycopg import sql

from promptsales.provision.changes import Change


def reporting_zone(connection: psycopg.Connection, zone: str, dry_run: bool = False) -> list[Change]:
    """Have ``ops.reporting`` name the zone of the settings; says what follows from another one.

    Args:
        connection: an administrator's, to the warehouse, in autocommit.
        zone: the reporting zone, as the settings have it.
        dry_run: change nothing, tell what would be.
    """
    is_there = connection.execute("select to_regclass('ops.reporting') is not null").fetchone()
    if is_there != (True,):  # a dry run before the first provision
        return []
    (known,) = connection.execute("select zone from ops.reporting").fetchone() or (None,)
    if known == zone:
        return []
    if not dry_run:
        statement = sql.SQL("create or replace view ops.reporting as select {}::text as zone").format(sql.Literal(zone))
        connection.execute(statement)
    what = f"reporting zone {zone} instead of {known}: the next build builds every mart in full, by its days"
    return [Change(system="warehouse", what=what)]
