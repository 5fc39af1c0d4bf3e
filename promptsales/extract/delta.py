"""Select the rows that a load reads from a hashing view, and check the view and its key before the read."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from promptsales.errors import SourceRefused
from promptsales.extract.drift import read_relation_types
from promptsales.feeds.models import Window
from promptsales.hashing.keys import CheckedKey
from promptsales.names import as_regclass, identifier, in_lines
from promptsales.specs.feed import Contract

_COLUMNS_OF_VIEW = Path(__file__).with_name("columns_of_view.sql").read_bytes()

_READS = Path(__file__).with_name("reads.sql").read_bytes()


def view(contract: Contract) -> sql.Identifier:
    """Return the identifier of a feed's hashing view in the source database."""
    return sql.Identifier("etl", contract.table)


def refuse_drift(contract: Contract, source: psycopg.Connection) -> None:
    """Check that the view has every column of the contract in its type: binary COPY does not convert types.

    Raises:
        SourceRefused: naming each column that is missing or of another type, or the replaced table that the view reads.
    """
    with source.cursor(row_factory=tuple_row) as cursor:
        types: dict[str, str] = dict(cursor.execute(_COLUMNS_OF_VIEW, [as_regclass("etl", contract.table)]).fetchall())
    wrong = [
        f"{column.name} is {types.get(column.name, 'gone')}, the contract says {column.type}"
        for column in contract.columns
        if types.get(column.name) != column.type
    ]
    if not types:
        raise SourceRefused(f"feed {contract.table}: {_without_view(contract, source)} (docs/how-to/source-changes.md)")
    if stale := read_view_tables(source).get(contract.table, set()) - {contract.source.relation}:
        raise SourceRefused(
            f"feed {contract.table}: etl.{contract.table} reads {', '.join(sorted(stale))}, not "
            f"{contract.source.relation}: the table was replaced under its name; run `promptsales provision`"
        )
    if wrong:
        raise SourceRefused(
            f"feed {contract.table}: {'; '.join(wrong)}; run `promptsales provision`, or change the contract"
        )


def read_view_tables(source: psycopg.Connection) -> dict[str, set[str]]:
    """Return the tables that each hashing view reads, under their current names: a view follows a renamed table."""
    with source.cursor(row_factory=tuple_row) as cursor:
        return {name: set(relations) for name, relations in cursor.execute(_READS)}


def _without_view(contract: Contract, source: psycopg.Connection) -> str:
    """Return why the view is missing, as far as the catalogue shows it, and what to do."""
    view_is_gone = f"etl.{contract.table} does not exist (a drop with CASCADE removes it)"
    existing = read_relation_types(contract, source)
    if missing := [name for name in contract.origins if name not in existing]:
        return (
            f"{view_is_gone}, and {contract.source.relation} has no {', '.join(missing)}; "
            "add it again or remove it from the contract, then run `promptsales provision`"
        )
    return f"{view_is_gone}; run `promptsales provision`"


def read_key(contract: Contract, source: psycopg.Connection) -> CheckedKey | None:
    """Return the number and check value of the key the source hashes with; None for a feed that hashes nothing.

    Raises:
        SourceRefused: when no key is active, which would make every hash null.
    """
    if not contract.is_hashed:
        return None
    with source.cursor(row_factory=tuple_row) as cursor:
        key = cursor.execute("select kid, check_hmac from etl.pii_key").fetchone()
    if key is None:
        raise SourceRefused(
            f"feed {contract.table}: the source has no active key, so every hash would be null; run "
            "`promptsales provision`"
        )
    return CheckedKey(key[0], bytes(key[1]))


def refuse_changed_key(contract: Contract, key: CheckedKey | None, known: CheckedKey | None) -> None:
    """Refuse a key other than the one the feed was loaded with: rows hashed with two keys do not join.

    Raises:
        SourceRefused: when the keys differ.
    """
    if known is not None and key != known:
        raise SourceRefused(
            f"feed {contract.table}: the source hashes with another key than the warehouse was loaded with "
            f"(number {key.kid if key else 'none'}, was {known.kid}); put the old key back"
        )


def copy_out(
    contract: Contract, extraction: int, window: Window | None, watermark: datetime | None, retries: Sequence[str]
) -> sql.Composed:
    """Return the COPY that reads a window, a delta, or all rows of a first load, with the load's number in each row.

    Args:
        contract: the feed.
        extraction: the load's number, which staging keeps as ``_load_id``.
        window: the rows to replay, or None for a delta.
        watermark: read rows changed at or after it, or all rows if None.
        retries: quarantined keys that are due for a retry, read whatever their cursor is.
    """
    return sql.SQL("""
        copy (
            select {columns}, {load}::bigint
            from {view}
            where {rows}
        ) to stdout (format binary)
    """).format(
        columns=in_lines(map(sql.Identifier, contract.column_names)),
        load=sql.Literal(extraction),
        view=view(contract),
        rows=predicate(contract, window, watermark, retries),
    )


def predicate(
    contract: Contract,
    window: Window | None,
    watermark: datetime | None,
    retries: Sequence[str],
    at_origin: bool = False,
) -> sql.Composable:
    """Return the condition that selects the rows of a load on the feed's view, or on its relation (``at_origin``)."""

    def name_of(column: str) -> sql.Composable:
        return identifier(contract.column(column).origin if at_origin else column)

    cursor = name_of(contract.cursor)
    if window is not None:
        bounds = {"cursor": cursor, "start": sql.Literal(window.start), "end": sql.Literal(window.end)}
        return sql.SQL("{cursor} >= {start} and {cursor} < {end}").format(**bounds)
    if watermark is None:
        return sql.SQL("true")
    delta = sql.SQL("{cursor} >= {mark}").format(cursor=cursor, mark=sql.Literal(watermark))
    if not retries:
        return delta
    retried = sql.SQL("{key} = any({keys}::{type}[])").format(
        key=name_of(contract.key), keys=sql.Literal(list(retries)), type=sql.SQL(contract.key_type)
    )
    return sql.SQL("({} or {})").format(delta, retried)
