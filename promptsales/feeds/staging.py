"""The statements of a load that depend on the feed's columns, composed from its contract: staging and its names."""

from psycopg import sql

from promptsales.names import in_lines
from promptsales.specs.feed import Contract


def staging(contract: Contract) -> sql.Identifier:
    """``staging.<source>__<table>``."""
    return sql.Identifier("staging", contract.staging)


def core(contract: Contract) -> sql.Identifier:
    """``core.<table>``."""
    return sql.Identifier("core", contract.table)


def listed(names: tuple[str, ...], prefix: str = "") -> sql.Composed:
    """Names with commas between, each after its table's if one is given."""
    return in_lines(sql.Identifier(prefix, name) if prefix else sql.Identifier(name) for name in names)


def filled(template: str, contract: Contract, **more: sql.Composable) -> sql.Composed:
    """A statement with the feed's names and lists of columns put in, and whatever ``more`` it names."""
    return sql.SQL(template).format(
        staging=staging(contract),
        core=core(contract),
        history=sql.Identifier("core", f"{contract.table}_history"),
        key=sql.Identifier(contract.key),
        cursor=sql.Identifier(contract.cursor),
        columns=listed(contract.column_names),
        staged=listed(contract.column_names, "s"),
        current=listed(contract.column_names, "c"),
        **more,
    )


def truncate(contract: Contract) -> sql.Composed:
    """Empty the feed's staging table; waits for a run that is still writing there."""
    return filled("truncate {staging}", contract)


def copy_in(contract: Contract) -> sql.Composed:
    """The COPY into staging that takes the blocks of the COPY out of the source."""
    return filled("copy {staging} ({columns}, _load_id) from stdin (format binary)", contract)


def analyze(contract: Contract) -> sql.Composed:
    """Let the planner know how much of staging may be known to core already; else it reads all of core to be safe."""
    return filled("analyze {staging} ({key}, {cursor})", contract)


def drop_unchanged(contract: Contract) -> sql.Composed:
    """Take the rows that equal core out of staging, but for keys in quarantine: publishing those releases them.

    A row changed since the last load read its source cannot be in core yet, so only the others are looked up there.
    """
    return filled(
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
    """How many rows of this load lie in staging."""
    return filled("select count(*) from {staging} where _load_id = %(extraction)s", contract)
