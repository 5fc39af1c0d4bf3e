"""Which rows a load reads, and what must hold before it may read them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from promptsales.errors import SourceRefused
from promptsales.extract.drift import relation_types
from promptsales.feeds.models import Window
from promptsales.names import as_regclass, identifier, in_lines
from promptsales.specs.feed import Contract

_COLUMNS_OF_VIEW = Path(__file__).with_name("columns_of_view.sql").read_bytes()

_READS = Path(__file__).with_name("reads.sql").read_bytes()


def view(contract: Contract) -> sql.Identifier:
    """The hashing view of a feed in its source's database."""
    return sql.Identifier("etl", contract.table)


def refuse_drift(contract: Contract, source: psycopg.Connection) -> None:
    """Binary COPY trusts its types, so the view must have every column of the contract, in the contract's type.

    Raises:
        SourceRefused: naming each column that is gone or of another type, or the replaced table that the view reads.
    """
    with source.cursor(row_factory=tuple_row) as cursor:
        found: dict[str, str] = dict(cursor.execute(_COLUMNS_OF_VIEW, [as_regclass("etl", contract.table)]).fetchall())
    wrong = [
        f"{column.name} is {found.get(column.name, 'gone')}, the contract says {column.type}"
        for column in contract.columns
        if found.get(column.name) != column.type
    ]
    if not found:
        raise SourceRefused(f"feed {contract.table}: {_without_view(contract, source)} (docs/how-to/source-changes.md)")
    if stale := relations_of(source).get(contract.table, set()) - {contract.source.relation}:
        raise SourceRefused(
            f"feed {contract.table}: etl.{contract.table} reads {', '.join(sorted(stale))}, not "
            f"{contract.source.relation}: the table was replaced under its name; run `promptsales provision`"
        )
    if wrong:
        raise SourceRefused(
            f"feed {contract.table}: {'; '.join(wrong)}; run `promptsales provision`, or change the contract"
        )


def relations_of(source: psycopg.Connection) -> dict[str, set[str]]:
    """Return by hashing view the tables it reads, under their names of now: a renamed table takes its view along."""
    with source.cursor(row_factory=tuple_row) as cursor:
        return {name: set(relations) for name, relations in cursor.execute(_READS)}


def _without_view(contract: Contract, source: psycopg.Connection) -> str:
    """What took the view, as far as the catalogue tells, and what to do."""
    view_is_gone = f"etl.{contract.table} is not there (a drop with CASCADE takes it along)"
    there = relation_types(contract, source)
    if missing := [name for name in contract.origins if name not in there]:
        return (
            f"{view_is_gone}, and {contract.source.relation} has no {', '.join(missing)}; "
            "put it back or take it out of the contract, then run `promptsales provision`"
        )
    return f"{view_is_gone}; run `promptsales provision`"


def read_key(contract: Contract, source: psycopg.Connection) -> tuple[int, bytes] | None:
    """Number and check value of the key the source hashes with; None for a feed that hashes nothing.

    Raises:
        SourceRefused: when no key is active, which would make every hash null.
    """
    if not contract.is_hashed:
        return None
    with source.cursor(row_factory=tuple_row) as cursor:
        key = cursor.execute("select kid, check_hmac from etl.pii_key").fetchone()
    if key is None:
        raise SourceRefused(
            f"feed {contract.table}: the source has no active key, so every hash would be null; provision it"
        )
    return key[0], bytes(key[1])


def refuse_changed_key(contract: Contract, key: tuple[int, bytes] | None, known: tuple[int, bytes] | None) -> None:
    """Rows hashed with two keys under one number would never join again.

    Raises:
        SourceRefused: when the source hashes with another key than the feed was loaded with.
    """
    if known is not None and key != known:
        raise SourceRefused(
            f"feed {contract.table}: the source hashes with another key than the warehouse was loaded with "
            f"(number {key[0] if key else 'none'}, was {known[0]}); put the old key back"
        )


def copy_out(
    contract: Contract, extraction: int, window: Window | None, watermark: datetime | None, retries: Sequence[str]
) -> sql.Composed:
    """The COPY that reads a window, a delta, or all rows of a first load; each row is stamped with the extraction.

    Args:
        contract: the feed.
        extraction: the load's number, which staging keeps as ``_load_id``.
        window: exactly these rows, or None for a delta.
        watermark: rows changed at or after it, or None for all.
        retries: keys in quarantine that are due, read again whatever their cursor says.
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
    """The rows of a load, as a condition on the feed's view, or on its relation (``at_origin``)."""

    def named(name: str) -> sql.Composable:
        return identifier(contract.column(name).origin if at_origin else name)

    cursor = named(contract.cursor)
    if window is not None:
        bounds = {"cursor": cursor, "start": sql.Literal(window.start), "end": sql.Literal(window.end)}
        return sql.SQL("{cursor} >= {start} and {cursor} < {end}").format(**bounds)
    if watermark is None:
        return sql.SQL("true")
    delta = sql.SQL("{cursor} >= {mark}").format(cursor=cursor, mark=sql.Literal(watermark))
    if not retries:
        return delta
    again = sql.SQL("{key} = any({keys}::{type}[])").format(
        key=named(contract.key), keys=sql.Literal(list(retries)), type=sql.SQL(contract.key_type)
    )
    return sql.SQL("({} or {})").format(delta, again)
