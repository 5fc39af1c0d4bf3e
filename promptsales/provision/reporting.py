"""Store the reporting time zone of the settings in the view ``ops.reporting``, where other views read it."""

import psycopg
from psycopg import sql

from promptsales.provision.changes import ProvisionChange


def provision_reporting_zone(connection: psycopg.Connection, zone: str, dry_run: bool = False) -> list[ProvisionChange]:
    """Set the zone in ``ops.reporting``, and return the change with its consequence.

    Args:
        connection: an administrator's connection to the warehouse, in autocommit.
        zone: the reporting zone of the settings.
        dry_run: change nothing, and return what would be changed.
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
    return [ProvisionChange(system="warehouse", what=what)]
