"""``hash_at: extract``: a relation whose database takes no view; its personal columns are hashed here, in memory.

Only columns that are hashed become Python values. All others pass as the bytes PostgreSQL sent, whatever they hold.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from promptsales.errors import SourceRefused
from promptsales.extract import delta
from promptsales.extract.drift import relation_types
from promptsales.extract.frontier import read_frontier_inline
from promptsales.extract.postgres import PostgresReader, counted
from promptsales.extract.visible import refuse_hidden_rows
from promptsales.feeds import staging
from promptsales.feeds.reader import CheckedKey, Copied, ReadRequest
from promptsales.hashing.hashes import Key, transformed
from promptsales.names import identifier, relation
from promptsales.specs.feed import MADE_HERE, Column, Contract

# read and written so, a value is not looked into
_UNREAD = "bytea"
_NAIVE, _AWARE = "timestamp without time zone", "timestamp with time zone"


class RelationReader(PostgresReader):
    """One extraction of a relation itself: of the contract's columns, never of all."""

    def __init__(self, contract: Contract, source: psycopg.Connection, key: Key | None) -> None:
        super().__init__(contract, source)
        self.key = key

    def read_clock(self) -> datetime:
        """The frontier, by a query."""
        self.frontier = read_frontier_inline(self.source)
        return self.frontier.read_at

    def read_key(self) -> CheckedKey | None:
        """The key of the key files."""
        if not self.contract.is_hashed:
            return None
        if self.key is None:
            raise SourceRefused(f"feed {self.contract.table}: no key was handed over, so every hash would be null")
        return self.key.check

    def refuse_drift(self) -> None:
        """Compare the relation with the contract: nothing at the source keeps its owners from changing it.

        Raises:
            SourceRefused: also where the database does not say in which encoding its text is.
        """
        if self.source.info.parameter_status("server_encoding") == "SQL_ASCII":
            raise SourceRefused(
                f"feed {self.contract.table}: database {self.source.info.dbname} has the encoding SQL_ASCII, so its "
                "text may be in any; move the data to a database with encoding UTF8"
            )
        refuse_drift(self.contract, relation_types(self.contract, self.source))
        role = self.source.info.user
        refuse_hidden_rows(f"feed {self.contract.table}", self.source, self.contract.source.relation, role)

    def count(self, wanted: ReadRequest) -> int:
        """Count on the relation."""
        return counted(self.source, _relation(self.contract), self._rows(wanted))

    def copy_into(self, warehouse: psycopg.Connection, wanted: ReadRequest) -> Copied:
        """Read, hash, write, a row at a time; nothing is kept."""
        types = [_UNREAD if column.transform == "as_is" else _type_here(column) for column in self.contract.columns]
        self.source.execute("set local timezone to 'UTC'")  # naive times are UTC, in the condition too
        with self.source.cursor() as reader, warehouse.cursor() as writer:
            with reader.copy(self._copy_out(wanted)) as blocks, writer.copy(staging.copy_in(self.contract)) as sink:
                blocks.set_types([*(_read_type(column) for column in self._read), _UNREAD])
                sink.set_types([*types, _UNREAD])
                for row in hashed(self.contract, self.key, blocks.rows()):
                    sink.write_row(row)
            return Copied(writer.rowcount)

    def draw(self, warehouse: psycopg.Connection, load_id: int) -> None:
        """Put every row into staging: for who compares, and takes them back."""
        with self.snapshot():
            self.copy_into(warehouse, ReadRequest(load_id, window=None, watermark=None))

    def changed_since(self, token: str | None) -> None:
        """None: only the cursor tells which rows the next load reads."""

    def still_there(self, keys: Sequence[str]) -> set[str]:
        """Which of some keys the relation has."""
        key = identifier(self.contract.column(self.contract.key).origin)
        query = sql.SQL("select {key}::text from {relation} where {key} = any(%s::{type}[])").format(
            key=key, relation=_relation(self.contract), type=sql.SQL(self.contract.key_type)
        )
        with self.snapshot():
            return {key for (key,) in self.source.execute(query, [list(keys)])}

    @property
    def _read(self) -> list[Column]:
        return [column for column in self.contract.columns if column.transform not in MADE_HERE]

    def _rows(self, wanted: ReadRequest) -> sql.Composable:
        return delta.predicate(self.contract, wanted.window, wanted.watermark, wanted.retries, at_origin=True)

    def _copy_out(self, wanted: ReadRequest) -> sql.Composed:
        types = relation_types(self.contract, self.source)
        columns = [_expression(column, types[column.origin]) for column in self._read]
        return sql.SQL(
            "copy (select {columns}, {load}::bigint from {relation} where {rows}) to stdout (format binary)"
        ).format(
            columns=sql.SQL(", ").join(columns),
            load=sql.Literal(wanted.extraction),
            relation=_relation(self.contract),
            rows=self._rows(wanted),
        )


def refuse_drift(contract: Contract, found: dict[str, str]) -> None:
    """Compare the columns a feed reads of a relation with their types there.

    Raises:
        SourceRefused: naming each column that is gone or of another type.
    """
    wrong = [
        f"{column.origin} is {found.get(column.origin, 'gone')}, the contract says {column.type}"
        for column in contract.columns
        if column.transform not in MADE_HERE and not _fits(column, found.get(column.origin))
    ]
    if wrong:
        what = "; ".join(wrong) if found else "it is not there, or hidden"
        raise SourceRefused(
            f"feed {contract.table}: {contract.source.relation}: {what}; change it back, or change the contract"
        )


def _fits(column: Column, found: str | None) -> bool:
    if column.transform != "as_is":
        return found is not None  # it is read as text
    return found == column.type or (found, column.type) == (_NAIVE, _AWARE)


def hashed(contract: Contract, key: Key | None, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows of staging from the rows of the relation: the columns that are read, then the load's number."""
    makers = _makers(contract, key)
    for row in rows:
        yield (*(make(row) for make in makers), row[-1])


def _makers(contract: Contract, key: Key | None) -> list[Callable[[tuple[Any, ...]], Any]]:
    places = iter(range(len(contract.columns)))
    return [_maker(column, key, None if column.transform in MADE_HERE else next(places)) for column in contract.columns]


def _maker(column: Column, key: Key | None, place: int | None) -> Callable[[tuple[Any, ...]], Any]:
    if place is None:
        kid = key.kid if key else None
        return lambda row: kid
    if column.transform == "as_is":
        return lambda row: row[place]
    make = transformed(column, key)
    return lambda row: None if row[place] is None else make(row[place])


def _relation(contract: Contract) -> sql.Composable:
    return relation(contract.source.relation)


def _read_type(column: Column) -> str:
    return _UNREAD if column.transform == "as_is" else "text"


def _type_here(column: Column) -> str:
    return {"text_length": "integer", "is_email_valid": "boolean", "pii_kid": "integer"}.get(column.transform, "bytea")


def _expression(column: Column, found: str) -> sql.Composed:
    name = identifier(column.origin)
    if column.transform != "as_is":
        return sql.SQL("{}::text").format(name)
    if (found, column.type) == (_NAIVE, _AWARE):
        return sql.SQL("{} at time zone 'UTC'").format(name)  # naive times are UTC (domain.md section 2.3)
    return sql.Composed([name])
