"""The statements of a comparison, composed from a feed's contract; both servers run the same statements.

A digest is computed from the text of a row, so a session must run `SAME_TEXT` first.
"""

from pathlib import Path

from psycopg import sql

from promptsales.erasure.suppression import NOBODY
from promptsales.extract.delta import view
from promptsales.feeds.staging import core, join_names, staging
from promptsales.names import in_lines
from promptsales.specs.feed import Contract

BUCKETS = 4096

SAME_TEXT = Path(__file__).with_name("same_text.sql").read_bytes()

# sha256() is the same in all versions of PostgreSQL; hashtext() is not
BUCKET = "('x' || left(encode(sha256(convert_to({key}::text, 'UTF8')), 'hex'), 3))::bit(12)::int"
_DIGEST = "('x' || left(encode(sha256(convert_to(row({columns})::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint"


def _columns(contract: Contract) -> sql.Composed:
    return join_names(contract.column_names)


def select_source_rows(contract: Contract) -> sql.Composed:
    """Select the rows of the hashing view as a load stages them: without erased persons and references to them."""
    references = set(contract.references)
    columns = in_lines(
        sql.SQL("case when {0}::text = any(%(erased)s) then {1} else {0} end as {0}").format(
            sql.Identifier(name), sql.Literal(NOBODY)
        )
        if name in references
        else sql.Identifier(name)
        for name in contract.column_names
    )
    return sql.SQL("""
            select {columns}
            from {view}
            where {key}::text <> all(%(suppressed)s)
        """).format(columns=columns, view=view(contract), key=sql.Identifier(contract.key))


def select_staged_rows(contract: Contract, load_id: int) -> sql.Composed:
    """Select the rows that were copied into staging for the comparison."""
    return sql.SQL("""
            select {columns}
            from {staging}
            where _load_id = {load}
        """).format(columns=_columns(contract), staging=staging(contract), load=sql.Literal(load_id))


def select_warehouse_rows(contract: Contract) -> sql.Composed:
    """Select the source's rows that the warehouse has; a row in quarantine replaces its older version in core.

    This excludes rows that an earlier reconciliation soft-deleted and no load has restored, and deletes from a change
    stream.
    """
    rows = sql.SQL("""
        select {columns} from {core} c
        where not exists (
            select from ops.quarantine q where q.feed = %(feed)s and q.key = c.{key}::text and q.released_at is null
        ) and not exists (
            select from ops.load l where l.feed = %(feed)s and l.extraction = c._extraction and l.mode = 'reconcile'
        )
        union all
        select {held} from ops.quarantine q, jsonb_populate_record(null::{staging}, q.payload) r
        where q.feed = %(feed)s and q.released_at is null
    """).format(
        columns=_columns(contract),
        core=core(contract),
        key=sql.Identifier(contract.key),
        held=join_names(contract.column_names, "r"),
        staging=staging(contract),
    )
    if contract.path == "change_stream":
        return sql.SQL("select * from ({}) w where deleted_at is null").format(rows)
    return rows


def sum_buckets(contract: Contract, rows: sql.Composed) -> sql.Composed:
    """Select the number, row count and sum of digests of each bucket of keys."""
    return _over(
        """
        select {bucket} as bucket, count(*), sum({digest})
        from ({rows}) x where {key} is not null and {key}::text <> all(%(pending)s) group by 1
        """,
        contract,
        rows,
    )


def sum_column(contract: Contract, rows: sql.Composed, column: str) -> sql.Composed:
    """Select the sum of a column over the rows that are compared."""
    return sql.SQL("select sum({column}) from ({rows}) x where {key}::text <> all(%(pending)s)").format(
        column=sql.Identifier(column), rows=rows, key=sql.Identifier(contract.key)
    )


def select_digests(contract: Contract, rows: sql.Composed) -> sql.Composed:
    """Select the key, digest and cursor of each row of some buckets, ordered by the bytes of the key."""
    return _over(
        """
        select {key}::text collate "C" as key, {digest} as digest, {cursor} as changed_at
        from ({rows}) x
        where {key} is not null and {key}::text <> all(%(pending)s) and {bucket} = any(%(buckets)s) order by 1
        """,
        contract,
        rows,
    )


def _over(template: str, contract: Contract, rows: sql.Composed) -> sql.Composed:
    key = sql.Identifier(contract.key)
    return sql.SQL(template).format(
        key=key,
        cursor=sql.Identifier(contract.cursor),
        rows=rows,
        bucket=sql.SQL(BUCKET).format(key=key),
        digest=sql.SQL(_DIGEST).format(columns=_columns(contract)),
    )


def select_existing(contract: Contract) -> sql.Composed:
    """Select which of some keys the source has."""
    return sql.SQL("select {key}::text from {view} where {key} = any(%(keys)s::{type}[])").format(
        key=sql.Identifier(contract.key), view=view(contract), type=sql.SQL(contract.key_type)
    )
