"""Compute how long a streamed value may be. Debezium cuts longer values, so that every row fits into a message.

A cut value is one unit longer than its column allows: the decoder puts its row in quarantine and drops the value.
Lengths are UTF-16 code units, as in Java. A limit depends on the type in the contract, not on the type at the source.
"""

import re
from collections import defaultdict

from psycopg import sql

from promptsales.specs.stream import Connector, StreamContract, contracts_of

# name of the rule that a cut value breaks
TOO_LARGE = "{}_too_large"
# equals max.message.bytes in schemas/kafka/topics.yml and max.request.size in connectors/postgres.yml
MESSAGE_BYTES = 26 * 2**20
# the limit of a dead letter topic: a message with the headers that give the reason
DEAD_LETTER_BYTES = 27 * 2**20
# shared by the values of a row that have no length limit; the rest is for all other values
_ROW_BYTES = 24 * 2**20
# the longest encoding of a unit: Connect writes a control character, or half of an emoji, as \ud83d
_UNIT_BYTES = 6
_UNLIMITED = ("text", "jsonb")
_SIZED = re.compile(r"character(?: varying)?\((\d+)\)")


def compute_limits(contract: StreamContract) -> dict[str, int]:
    """Return the most units that a value may have, by the name of each text column."""
    unlimited = sum(column.type in _UNLIMITED for column in contract.columns)
    limits = {column.name: _most(column.type, unlimited) for column in contract.columns}
    return {name: most for name, most in limits.items() if most}


def _most(kind: str, unlimited: int) -> int:
    """Return the most units of a type in a table with ``unlimited`` columns without a limit; 0 if it is not text."""
    if kind in _UNLIMITED:
        return _ROW_BYTES // _UNIT_BYTES // unlimited
    sized = _SIZED.fullmatch(kind)
    # an emoji is one character of two units
    return 2 * int(sized[1]) if sized else 0


def count_units(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def compose_properties(connector: Connector) -> dict[str, str]:
    """Return the connector properties that make Debezium cut values one unit above their limit.

    A snapshot holds several rows in memory, so its queries cut the columns without a limit at the source.
    """
    return _cut_by_debezium(connector) | _cut_in_snapshots(connector)


def _cut_by_debezium(connector: Connector) -> dict[str, str]:
    cut: dict[str, list[str]] = defaultdict(list)
    for contract in contracts_of(connector):
        origins = {column.name: column.origin for column in contract.columns}
        for name, most in compute_limits(contract).items():
            column = re.escape(f"{contract.source.relation}.{origins[name]}")
            cut[f"column.truncate.to.{most + 1}.chars"].append(column)
    return {name: ",".join(columns) for name, columns in cut.items()}


def _cut_in_snapshots(connector: Connector) -> dict[str, str]:
    tables = [
        contract
        for contract in contracts_of(connector)
        if any(column.type in _UNLIMITED for column in contract.columns)
    ]
    name = "snapshot.select.statement.overrides"
    overridden = {name: ",".join(contract.source.relation for contract in tables)} if tables else {}
    return overridden | {f"{name}.{contract.source.relation}": _compose_select(contract) for contract in tables}


def _compose_select(contract: StreamContract) -> str:
    limits = compute_limits(contract)
    values = [
        sql.SQL("left({0}::text, {1}) as {0}" if column.type in _UNLIMITED else "{0}").format(
            sql.Identifier(column.origin), limits.get(column.name, 0) + 1
        )
        for column in contract.columns
    ]
    relation = sql.Identifier(*contract.source.relation.split("."))
    return sql.SQL("select {} from {}").format(sql.SQL(", ").join(values), relation).as_string()
