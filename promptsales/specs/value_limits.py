"""How large a streamed value may be. Debezium cuts what is longer, so that every row fits into a message.

A cut value has one unit more than its column may have: the decoder puts its row in quarantine and drops the value.
Lengths are UTF-16 units, which Java counts. What a limit allows follows from the contract, whatever the source's type.
"""

import re
from collections import defaultdict

from psycopg import sql

from promptsales.specs.stream import Connector, StreamContract, contracts_of

# the rule that a cut value breaks
TOO_LARGE = "{}_too_large"
# of the message, as max.message.bytes in schemas/kafka/topics.yml and max.request.size in connectors/postgres.yml
MESSAGE_BYTES = 26 * 2**20
# of a dead letter, as its topics have it: a message with the headers that say why
DEAD_LETTER_BYTES = 27 * 2**20
# what a row's values without a length of their own share; the rest is for all others
_ROW_BYTES = 24 * 2**20
# the most that a unit may take in a message: Connect writes a control character, or half of an emoji, as \ud83d
_UNIT_BYTES = 6
_UNLIMITED = ("text", "jsonb")
_SIZED = re.compile(r"character(?: varying)?\((\d+)\)")


def limits(contract: StreamContract) -> dict[str, int]:
    """Return the most units that the value of each column of text may have, by the column's name."""
    unlimited = sum(column.type in _UNLIMITED for column in contract.columns)
    found = {column.name: _most(column.type, unlimited) for column in contract.columns}
    return {name: most for name, most in found.items() if most}


def _most(kind: str, unlimited: int) -> int:
    """The most units of a type of which a table has so many columns without a limit; 0 where it is no text."""
    if kind in _UNLIMITED:
        return _ROW_BYTES // _UNIT_BYTES // unlimited
    sized = _SIZED.fullmatch(kind)
    # an emoji is one character and two units
    return 2 * int(sized[1]) if sized else 0


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def properties(connector: Connector) -> dict[str, str]:
    """Return the properties by which Debezium cuts values one unit after the most that they may have.

    A snapshot has several rows in memory, so there the source cuts those without a limit.
    """
    return _cut_by_debezium(connector) | _cut_in_snapshots(connector)


def _cut_by_debezium(connector: Connector) -> dict[str, str]:
    cut: dict[str, list[str]] = defaultdict(list)
    for contract in contracts_of(connector):
        origins = {column.name: column.origin for column in contract.columns}
        for name, most in limits(contract).items():
            column = re.escape(f"{contract.source.relation}.{origins[name]}")
            cut[f"column.truncate.to.{most + 1}.chars"].append(column)
    return {name: ",".join(columns) for name, columns in cut.items()}


def _cut_in_snapshots(connector: Connector) -> dict[str, str]:
    tables = [found for found in contracts_of(connector) if any(column.type in _UNLIMITED for column in found.columns)]
    name = "snapshot.select.statement.overrides"
    listed = {name: ",".join(contract.source.relation for contract in tables)} if tables else {}
    return listed | {f"{name}.{contract.source.relation}": _selected(contract) for contract in tables}


def _selected(contract: StreamContract) -> str:
    most = limits(contract)
    values = [
        sql.SQL("left({0}::text, {1}) as {0}" if column.type in _UNLIMITED else "{0}").format(
            sql.Identifier(column.origin), most.get(column.name, 0) + 1
        )
        for column in contract.columns
    ]
    relation = sql.Identifier(*contract.source.relation.split("."))
    return sql.SQL("select {} from {}").format(sql.SQL(", ").join(values), relation).as_string()
