"""The publications of a source database, and what Debezium's role may read there: derived from the stream's contracts.

A publication names its columns, so that what no contract names is never sent. With another replica identity than the
primary key that would make the application's own UPDATE and DELETE fail (SQLSTATE 42P10), so it is refused.
"""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import get_args

import psycopg
from psycopg import sql

from promptsales import names
from promptsales.errors import ConfigError
from promptsales.names import identifier, in_lines
from promptsales.provision.changes import Change
from promptsales.provision.lines import Database
from promptsales.specs.stream import Connector, StreamContract, contracts_of

ROLE = "cdc"
DATABASES: dict[Connector, Database] = {"promptads": "promptsales", "promptcrm": "promptcrm"}
_OPERATIONS = "insert, update, delete, truncate"

_TABLES = (Path(__file__).parent / "sql" / "published_tables.sql").read_bytes()
_OPERATIONS_OF = (Path(__file__).parent / "sql" / "published_operations.sql").read_bytes()
_READABLE = (Path(__file__).parent / "sql" / "readable_columns.sql").read_bytes()
_COLUMNS = (Path(__file__).parent / "sql" / "replicated_columns.sql").read_bytes()


def publications(connection: psycopg.Connection, database: Database) -> list[Change]:
    """Bring a database's publications, and what Debezium may read, to what the contracts say.

    Raises:
        ConfigError: when a contract names a column that is not there, columns differ in capitals only, or the table's
            replica identity would make the application's own writes fail.
    """
    changes = []
    for connector in get_args(Connector):
        if DATABASES[connector] == database:
            found = contracts_of(connector)
            for contract in found:
                _refuse(connection, contract)
            changes += [Change(system=database, what=what) for what in _publish(connection, connector, found)]
            changes += [Change(system=database, what=what) for what in _grant(connection, found)]
    return changes


def _refuse(connection: psycopg.Connection, contract: StreamContract) -> None:
    relation = contract.source.relation
    there: dict[str, str] = dict(connection.execute(_COLUMNS, [relation]).fetchall())
    if missing := set(contract.origins) - there.keys():
        raise ConfigError(f"contract {contract.table}: {relation} has no column {', '.join(sorted(missing))}")
    small = Counter(map(str.lower, there))
    if twins := sorted(name for name in there if small[name.lower()] > 1):
        raise ConfigError(
            f"contract {contract.table}: columns {' and '.join(twins)} of {relation} differ in capitals only, and "
            "Debezium follows no such table: rename one of them at the source, or take the contract away"
        )
    if set(there.values()) - {"d"}:
        raise ConfigError(
            f"contract {contract.table}: {relation} has another replica identity than its primary key; with published "
            f"columns its own updates would fail: alter table {relation} replica identity default"
        )


def alter_publication(connector: Connector, found: Sequence[StreamContract]) -> sql.Composed:
    """Compose the statement that makes a publication have these tables, of each the columns that are sent."""
    return sql.SQL("alter publication {} set {}").format(sql.Identifier(connector), _tables(found))


def _tables(found: Sequence[StreamContract]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("table {} ({})").format(
            names.relation(contract.source.relation), in_lines(map(identifier, contract.origins))
        )
        for contract in found
    )


def _publish(connection: psycopg.Connection, connector: Connector, found: Sequence[StreamContract]) -> Iterator[str]:
    name, operations = sql.Identifier(connector), sql.Literal(_OPERATIONS)
    there = connection.execute(_OPERATIONS_OF, [connector]).fetchone()
    if there is None:
        connection.execute(
            sql.SQL("create publication {} for {} with (publish = {})").format(name, _tables(found), operations)
        )
        yield f"publication {connector} created"
        return
    published: dict[str, list[str] | None] = dict(connection.execute(_TABLES, [connector]).fetchall())
    goal = _wanted(found)
    if published != goal:
        connection.execute(alter_publication(connector, found))
        _forget(connection, published.keys() - goal.keys())
        yield f"publication {connector}: tables and columns as the contracts say"
    if late := sorted(goal.keys() - published.keys()):
        yield (
            f"publication {connector}: what was written to {', '.join(late)} before is in no event; "
            f"run `promptsales connectors snapshot {connector}`"
        )
    if there != (_OPERATIONS,):
        connection.execute(sql.SQL("alter publication {} set (publish = {})").format(name, operations))
        yield (
            f"publication {connector} publishes {_OPERATIONS}; what it left out before is in no event; "
            f"run `promptsales reconcile {' '.join(contract.table for contract in found)}`"
        )


def _forget(connection: psycopg.Connection, relations: Set[str]) -> None:
    """Take the rights on tables away that are not published any more, as those replaced under their names."""
    for relation in relations:
        revoke = sql.SQL("revoke select on {} from {}")
        connection.execute(revoke.format(names.relation(relation), sql.Identifier(ROLE)))


def _wanted(found: Sequence[StreamContract]) -> dict[str, list[str] | None]:
    return {contract.source.relation: sorted(contract.origins) for contract in found}


def _grant(connection: psycopg.Connection, found: Sequence[StreamContract]) -> Iterator[str]:
    for contract in found:
        readable = {name for (name,) in connection.execute(_READABLE, [contract.source.relation, ROLE, ROLE])}
        if readable == set(contract.origins):
            continue
        connection.execute(grant_script(contract))
        yield f"{contract.source.relation}: {len(contract.origins)} columns granted to {ROLE}"


def grant_script(contract: StreamContract) -> sql.Composed:
    """Compose the statements that let Debezium's role read the columns of a table that are sent, and no other."""
    return sql.SQL("""
        grant usage on schema {schema} to {role};
        revoke select on {relation} from {role};
        grant select ({columns}) on {relation} to {role}
    """).format(
        schema=identifier(contract.source.relation.split(".")[0]),
        role=sql.Identifier(ROLE),
        relation=names.relation(contract.source.relation),
        columns=in_lines(map(identifier, contract.origins)),
    )
