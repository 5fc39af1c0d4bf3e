"""``tests/warehouse/<table>.yml``: for each rule of a suite, rows that break that rule and no other."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
import yaml
from psycopg import sql
from psycopg.types.json import Jsonb

from promptsales.settings import ROOT
from promptsales.specs.column import Column
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import Expectation

FOLDER = ROOT / "tests" / "warehouse"
Row = dict[str, Any]

# columns that the pipeline adds to a row that it loads, and to one that it streams
_LOADED = {"_extraction": 0, "_loaded_at": "2026-02-01"}
_STREAMED = {
    "is_deleted": False,
    "src_epoch": 1,
    "src_commit": 1,
    "src_lsn": 1,
    "src_is_snapshot": False,
    "_loaded_at": "2026-03-02T10:00:00Z",
}
# the placeholder for the number of a row
_BY_NUMBER: dict[str, Callable[[int], str]] = {
    "unique": lambda number: f"\\x{sha256(str(number).encode()).hexdigest()}",
    "$number": str,
    "$uuid": lambda number: str(UUID(int=number << 64)),
}


class _Text(yaml.SafeLoader):
    """A loader that keeps values as text for PostgreSQL to parse; of YAML's implicit types it knows only merge keys."""

    yaml_implicit_resolvers = {"<": yaml.SafeLoader.yaml_implicit_resolvers["<"]}  # noqa: RUF012 -- as the class has it


@cache
def cases(table: str) -> dict[str, Any]:
    """Return the content of a table's file.

    ``good``: a row that breaks no rule; ``core``: rows of the warehouse, by core table or ``schema.table``; ``cases``
    by rule: ``rows``, more of ``core``, and other rules that they break (``too``); ``holds``: rows that break no rule.
    """
    contents: dict[str, Any] = yaml.load((FOLDER / f"{table}.yml").read_text(encoding="utf-8"), Loader=_Text)  # noqa: S506
    return contents


def has_case(rule: Expectation) -> bool:
    """Return whether a rule needs a case of its own; those on types are broken by `implausible` values."""
    return not rule.meta.rule.endswith(("_outside_business_dates", "_not_a_number"))


def implausible(columns: Iterable[Column]) -> list[tuple[str, str, str]]:
    """Return values that a column's type accepts and no business has: the column, the value and the broken rule."""
    values = []
    for column in columns:
        if column.type.startswith(("date", "timestamp")) and column.transform != "deleted_at":
            rule = f"{column.name}_outside_business_dates"
            values += [(column.name, day, rule) for day in ("-infinity", "infinity", "0044-03-15 BC", "0206-01-01")]
            values += [(column.name, day, rule) for day in ("1989-12-31", "2041-01-01", "9999-12-31")]
        if column.type.startswith("numeric"):
            values.append((column.name, "NaN", f"{column.name}_not_a_number"))
    return values


def rows(table: str, key: str, changes: list[Row], first: int = 1) -> Iterator[Row]:
    """Return full rows: the good one with each change, repeated ``times`` times, each with a key of its own."""
    number = first
    for change in changes:
        for _ in range(int(change.get("times", 1))):
            row = {key: "$uuid", **cases(table)["good"], **change}
            row.pop("times", None)
            yield {name: _value(value, number) for name, value in row.items()}
            number += 1


def _value(value: Any, number: int) -> Any:
    if value == "null":
        return None
    return _BY_NUMBER[value](number) if isinstance(value, str) and value in _BY_NUMBER else value


def insert(connection: psycopg.Connection, schema: str, table: str, rows: list[Row]) -> None:
    """Insert rows of text, cast to the types of the table."""
    names = sorted({name for row in rows for name in row})
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    query = sql.SQL("insert into {0} ({1}) select {1} from jsonb_populate_recordset(null::{0}, %s)")
    connection.execute(query.format(sql.Identifier(schema, table), columns), [Jsonb(rows)])


def fill(admin: psycopg.Connection, checked: str, *more: dict[str, list[Row]]) -> None:
    """Fill the warehouse as it is before the case; rows of the checked table get other keys than those of the case."""
    for tables in more:
        for name, changes in tables.items():
            if "." in name:
                schema, _, table = name.partition(".")
                insert(admin, schema, table, changes)
            else:
                put(admin, name, changes, first=1000 if name == checked else 1)


def put(admin: psycopg.Connection, table: str, changes: list[Row], first: int = 1) -> None:
    """Insert rows of a table that is loaded or streamed."""
    known: dict[str, Contract | StreamContract] = {**contracts(), **stream_contracts()}
    contract, is_streamed = known[table], table in stream_contracts()
    layer, added = (stream_contracts()[table].layer, _STREAMED) if is_streamed else ("core", _LOADED)
    insert(admin, layer, table, [{**added, **row} for row in rows(table, contract.key, changes, first)])
