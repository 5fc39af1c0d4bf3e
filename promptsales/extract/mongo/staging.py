"""The statements that fill a feed's staging table from its topic, composed from the contract."""

from psycopg import sql

from promptsales.feeds.staging import core, join_names, staging
from promptsales.names import in_lines
from promptsales.specs.feed import Contract


def copy_rows(contract: Contract) -> sql.Composed:
    """Return the COPY into staging of rows made from documents, with their misfits."""
    return _fill("copy {staging} ({columns}, _misfits, _load_id) from stdin (format binary)", contract)


def keep_latest(contract: Contract) -> sql.Composed:
    """Delete all rows of each key but the last; grouping first is fast, because most keys have one row."""
    return _fill(
        """
        delete from {staging} s
        using (select {key}, max(_row) as _row from {staging} group by {key} having count(*) > 1) as last
        where last.{key} = s.{key} and s._row < last._row
        """,
        contract,
    )


def complete_deletes(contract: Contract) -> sql.Composed:
    """Fill the rows of deletes, which carry only a key and a time, with the values that core has."""
    kept = tuple(name for name in contract.column_names if name not in (contract.key, "deleted_at"))
    return _fill(
        """
        update {staging} s
        set {kept}
        from {core} c
        where s.deleted_at is not null and c.{key} = s.{key}
        """,
        contract,
        kept=in_lines(sql.SQL("{0} = c.{0}").format(sql.Identifier(name)) for name in kept),
    )


def drop_gone(contract: Contract) -> sql.Composed:
    """Remove deletes of rows that core never held from staging, close them in quarantine, and count them."""
    return _fill(
        """
        with gone as (
            delete from {staging} s
            where s.deleted_at is not null and not exists (select from {core} c where c.{key} = s.{key})
            returning s.{key}::text as key
        ), closed as (
            update ops.quarantine q set released_at = clock_timestamp(), release_reason = 'deleted'
            from gone where q.feed = %(feed)s and q.key = gone.key and q.released_at is null
        )
        select count(*) from gone
        """,
        contract,
    )


def _fill(template: str, contract: Contract, **more: sql.Composable) -> sql.Composed:
    return sql.SQL(template).format(
        staging=staging(contract),
        core=core(contract),
        key=sql.Identifier(contract.key),
        columns=join_names(contract.column_names),
        **more,
    )
