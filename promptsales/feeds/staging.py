"""The statements on a feed's staging table, composed from its contract."""

from psycopg import sql

from promptsales.names import in_lines
from promptsales.specs.feed import Contract


def staging(contract: Contract) -> sql.Identifier:
    """Return the identifier of the feed's staging table, ``staging.<source>__<table>``."""
    return sql.Identifier("staging", contract.staging)


def core(contract: Contract) -> sql.Identifier:
    """Return the identifier of the feed's core table, ``core.<table>``."""
    return sql.Identifier("core", contract.table)


def join_names(names: tuple[str, ...], prefix: str = "") -> sql.Composed:
    """Return the names as quoted identifiers separated by commas, each qualified by ``prefix`` if one is given."""
    return in_lines(sql.Identifier(prefix, name) if prefix else sql.Identifier(name) for name in names)


def fill(template: str, contract: Contract, **more: sql.Composable) -> sql.Composed:
    """Return a statement with the feed's tables and column lists filled in, and the placeholders in ``more``."""
    return sql.SQL(template).format(
        staging=staging(contract),
        core=core(contract),
        key=sql.Identifier(contract.key),
        cursor=sql.Identifier(contract.cursor),
        columns=join_names(contract.column_names),
        staged=join_names(contract.column_names, "s"),
        current=join_names(contract.column_names, "c"),
        **more,
    )


def truncate(contract: Contract) -> sql.Composed:
    """Empty the feed's staging table; this waits for a run that is still writing to it."""
    return fill("truncate {staging}", contract)


def copy_in(contract: Contract) -> sql.Composed:
    """Return the binary COPY into staging that takes the blocks of the COPY from the source."""
    return fill("copy {staging} ({columns}, _load_id) from stdin (format binary)", contract)


def analyze(contract: Contract) -> sql.Composed:
    """Gather statistics of staging, without which the planner reads all of core in `drop_unchanged`."""
    return fill("analyze {staging} ({key}, {cursor})", contract)


def drop_unchanged(contract: Contract) -> sql.Composed:
    """Delete the rows of staging that equal core, except keys in quarantine, which are released when published.

    A row that changed after the last load read the source cannot be in core yet, so only older rows are looked up.
    """
    return fill(
        """
        delete from {staging} s using {core} c
        where s.{cursor} <= %(seen_through)s and s._misfits is null
          and c.{key} = s.{key}
          and row({staged})
              is not distinct from row({current})
          and not exists (
              select from ops.quarantine q where q.feed = %(feed)s and q.key = s.{key}::text and q.released_at is null
          )
        """,
        contract,
    )


def count_staged(contract: Contract) -> sql.Composed:
    """Count the rows of this load in staging."""
    return fill("select count(*) from {staging} where _load_id = %(extraction)s", contract)
