"""Read a feed with ``hash_at: extract``: the pipeline hashes the personal columns of a relation in memory.

It is for databases where no view may be created. Only hashed columns are decoded; all others are copied as raw bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from promptsales.errors import SourceRefused
from promptsales.extract import delta
from promptsales.extract.drift import read_relation_types
from promptsales.extract.frontier import read_frontier_inline
from promptsales.extract.postgres import PostgresReader, count_rows
from promptsales.extract.visible import refuse_hidden_rows
from promptsales.feeds import staging
from promptsales.feeds.reader import Copied, ReadRequest
from promptsales.hashing.hashes import Key, make_transform
from promptsales.hashing.keys import CheckedKey
from promptsales.names import identifier, in_lines, relation
from promptsales.specs.column import MADE_HERE, REDACTED, Column
from promptsales.specs.feed import Contract

# values of this type are copied without being decoded
_UNREAD = "bytea"
_NAIVE, _AWARE = "timestamp without time zone", "timestamp with time zone"


class RelationReader(PostgresReader):
    """An extraction of a relation: it reads the columns of the contract, never ``*``."""

    def __init__(self, contract: Contract, source: psycopg.Connection, key: Key | None) -> None:
        super().__init__(contract, source)
        self.key = key

    def read_clock(self) -> datetime:
        """Read the frontier with a query and return the source's clock."""
        self.frontier = read_frontier_inline(self.source)
        return self.frontier.read_at

    def read_key(self) -> CheckedKey | None:
        """Return the number and check value of the key of the key files."""
        if not self.contract.is_hashed:
            return None
        if self.key is None:
            raise SourceRefused(
                f"feed {self.contract.table}: no key was given, so every hash would be null; open the source with the "
                "active key"
            )
        return self.key.check

    def refuse_drift(self) -> None:
        """Check that the relation fits the contract, shows every row, and is in a known encoding.

        Raises:
            SourceRefused: when it does not.
        """
        if self.source.info.parameter_status("server_encoding") == "SQL_ASCII":
            raise SourceRefused(
                f"feed {self.contract.table}: database {self.source.info.dbname} has the encoding SQL_ASCII, so the "
                "encoding of its text is unknown; move the data to a database with encoding UTF8"
            )
        refuse_drift(self.contract, read_relation_types(self.contract, self.source))
        role = self.source.info.user
        refuse_hidden_rows(f"feed {self.contract.table}", self.source, self.contract.source.relation, role)

    def count(self, request: ReadRequest) -> int:
        """Count the rows on the relation."""
        return count_rows(self.source, _relation(self.contract), self._rows(request))

    def copy_into(self, warehouse: psycopg.Connection, request: ReadRequest) -> Copied:
        """Read, hash and write one row at a time."""
        types = [_UNREAD if column.transform == "as_is" else _type_here(column) for column in self.contract.columns]
        self.source.execute("set local timezone to 'UTC'")  # the condition compares naive times, which are UTC
        with self.source.cursor() as reader, warehouse.cursor() as writer:
            with reader.copy(self._copy_out(request)) as blocks, writer.copy(staging.copy_in(self.contract)) as sink:
                blocks.set_types([*(_read_type(column) for column in self._read), _UNREAD])
                sink.set_types([*types, _UNREAD])
                for row in hash_rows(self.contract, self.key, blocks.rows()):
                    sink.write_row(row)
            return Copied(writer.rowcount)

    def stage_all(self, warehouse: psycopg.Connection, load_id: int) -> None:
        """Copy every row into staging, for a reconciliation that rolls them back."""
        with self.snapshot():
            self.copy_into(warehouse, ReadRequest(load_id, window=None, watermark=None))

    def find_changed_keys(self, token: str | None) -> None:
        """Return None: only the cursor selects the rows of the next load."""

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Return which of these keys the relation has."""
        key = identifier(self.contract.column(self.contract.key).origin)
        query = sql.SQL("select {key}::text from {relation} where {key} = any(%s::{type}[])").format(
            key=key, relation=_relation(self.contract), type=sql.SQL(self.contract.key_type)
        )
        with self.snapshot():
            return {key for (key,) in self.source.execute(query, [list(keys)])}

    @property
    def _read(self) -> list[Column]:
        return [column for column in self.contract.columns if column.transform not in MADE_HERE]

    def _rows(self, request: ReadRequest) -> sql.Composable:
        return delta.predicate(self.contract, request.window, request.watermark, request.retries, at_origin=True)

    def _copy_out(self, request: ReadRequest) -> sql.Composed:
        types = read_relation_types(self.contract, self.source)
        columns = [_expression(column, types[column.origin]) for column in self._read]
        return sql.SQL("""
            copy (
                select {columns}, {load}::bigint
                from {relation}
                where {rows}
            ) to stdout (format binary)
        """).format(
            columns=in_lines(columns),
            load=sql.Literal(request.extraction),
            relation=_relation(self.contract),
            rows=self._rows(request),
        )


def refuse_drift(contract: Contract, types: dict[str, str]) -> None:
    """Check the types of the columns that a feed reads from a relation.

    Raises:
        SourceRefused: naming each column that is missing or of another type.
    """
    wrong = [
        f"{column.origin} is {types.get(column.origin, 'gone')}, the contract says {column.type}"
        for column in contract.columns
        if column.transform not in MADE_HERE and not _fits(column, types.get(column.origin))
    ]
    if wrong:
        what = "; ".join(wrong) if types else "the relation does not exist or is hidden"
        raise SourceRefused(
            f"feed {contract.table}: {contract.source.relation}: {what}; change it back, or change the contract"
        )


def _fits(column: Column, type_at_source: str | None) -> bool:
    if column.transform not in {"as_is", *REDACTED}:
        return type_at_source is not None  # it is read as text
    return type_at_source == column.type or (type_at_source, column.type) == (_NAIVE, _AWARE)


def hash_rows(contract: Contract, key: Key | None, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of staging, made from rows of the relation, which end with the load's number."""
    makers = _makers(contract, key)
    for row in rows:
        yield (*(make(row) for make in makers), row[-1])


def _makers(contract: Contract, key: Key | None) -> list[Callable[[tuple[Any, ...]], Any]]:
    indexes = iter(range(len(contract.columns)))
    return [
        _maker(column, key, None if column.transform in MADE_HERE else next(indexes)) for column in contract.columns
    ]


def _maker(column: Column, key: Key | None, index: int | None) -> Callable[[tuple[Any, ...]], Any]:
    if index is None:
        kid = key.kid if key else None
        return lambda row: kid
    if column.transform == "as_is":
        return lambda row: row[index]
    make = make_transform(column, key)
    return lambda row: None if row[index] is None else make(row[index])


def _relation(contract: Contract) -> sql.Composable:
    return relation(contract.source.relation)


def _read_type(column: Column) -> str:
    return _UNREAD if column.transform == "as_is" else _text_type(column)


def _text_type(column: Column) -> str:
    return "text[]" if column.type.endswith("[]") else "text"


def _type_here(column: Column) -> str:
    if column.transform in REDACTED:
        return _text_type(column)
    return {"text_length": "integer", "is_email_valid": "boolean", "pii_kid": "integer"}.get(column.transform, "bytea")


def _expression(column: Column, type_at_source: str) -> sql.Composed:
    name = identifier(column.origin)
    if column.transform != "as_is":
        return sql.SQL("{}::{}").format(name, sql.SQL(_text_type(column)))
    if (type_at_source, column.type) == (_NAIVE, _AWARE):
        return sql.SQL("{} at time zone 'UTC'").format(name)  # the sources store naive times in UTC
    return sql.Composed([name])
