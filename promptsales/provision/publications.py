"""Create the publications of a source database, and the grants of Debezium and the audits, from the stream's contracts.

A publication lists columns, so that columns no contract names are never sent. With such a list, any replica identity
other than the primary key makes the application's own UPDATE and DELETE fail (SQLSTATE 42P10), and is refused.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import psycopg
from psycopg import sql

from promptsales import names
from promptsales.errors import ConfigError
from promptsales.names import identifier, in_lines
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import Database
from promptsales.specs.stream import Connector, StreamContract, contracts_of

# Debezium, and the audits, which compare what it reads
ROLES = ("cdc", "etl_audit")
DATABASES: dict[Connector, Database] = {"promptads": "promptsales", "promptcrm": "promptcrm"}
_OPERATIONS = "insert, update, delete, truncate"

_TABLES = (Path(__file__).parent / "sql" / "published_tables.sql").read_bytes()
_OPERATIONS_OF = (Path(__file__).parent / "sql" / "published_operations.sql").read_bytes()
_READABLE = (Path(__file__).parent / "sql" / "readable_columns.sql").read_bytes()
_COLUMNS = (Path(__file__).parent / "sql" / "replicated_columns.sql").read_bytes()


def provision_publications(connection: psycopg.Connection, database: Database) -> list[ProvisionChange]:
    """Update a database's publications, and the rights of Debezium's role and the audits', to match the contracts.

    Raises:
        ConfigError: when a contract names a missing column, column names differ in capitals only, or the replica
            identity of a table would make the application's own writes fail.
    """
    changes = []
    for connector in get_args(Connector):
        if DATABASES[connector] == database:
            contracts = contracts_of(connector)
            for contract in contracts:
                _refuse_unfit(connection, contract)
            texts = [*_publish(connection, connector, contracts), *_grant(connection, contracts)]
            changes += [ProvisionChange(system=database, what=text) for text in texts]
    return changes


def _refuse_unfit(connection: psycopg.Connection, contract: StreamContract) -> None:
    relation = contract.source.relation
    identities: dict[str, str] = dict(connection.execute(_COLUMNS, [relation]).fetchall())
    if missing := set(contract.origins) - identities.keys():
        raise ConfigError(
            f"contract {contract.table}: {relation} has no column {', '.join(sorted(missing))}; correct the contract"
        )
    lowered = Counter(map(str.lower, identities))
    if twins := sorted(name for name in identities if lowered[name.lower()] > 1):
        raise ConfigError(
            f"contract {contract.table}: columns {' and '.join(twins)} of {relation} differ in capitals only, and "
            "Debezium follows no such table; rename one of them at the source, or remove the contract"
        )
    if set(identities.values()) - {"d"}:
        raise ConfigError(
            f"contract {contract.table}: {relation} has another replica identity than its primary key, so with a "
            f"column list its own updates would fail; run `alter table {relation} replica identity default`"
        )


def alter_publication(connector: Connector, contracts: Sequence[StreamContract]) -> sql.Composed:
    """Return the statement that sets the tables of a publication, each with the columns of its contract."""
    return sql.SQL("alter publication {} set {}").format(sql.Identifier(connector), _tables(contracts))


def _tables(contracts: Sequence[StreamContract]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("table {} ({})").format(
            names.relation(contract.source.relation), in_lines(map(identifier, contract.origins))
        )
        for contract in contracts
    )


def _publish(
    connection: psycopg.Connection, connector: Connector, contracts: Sequence[StreamContract]
) -> Iterator[str]:
    name, operations = sql.Identifier(connector), sql.Literal(_OPERATIONS)
    published_operations = connection.execute(_OPERATIONS_OF, [connector]).fetchone()
    if published_operations is None:
        connection.execute(
            sql.SQL("create publication {} for {} with (publish = {})").format(name, _tables(contracts), operations)
        )
        yield f"publication {connector} created"
        return
    published: dict[str, list[str] | None] = dict(connection.execute(_TABLES, [connector]).fetchall())
    expected: dict[str, list[str] | None] = {
        contract.source.relation: sorted(contract.origins) for contract in contracts
    }
    if published != expected:
        connection.execute(alter_publication(connector, contracts))
        yield f"publication {connector}: tables and columns as the contracts say"
    if late := sorted(expected.keys() - published.keys()):
        yield (
            f"publication {connector}: rows written to {', '.join(late)} before have no event; "
            f"run `promptsales connectors snapshot {connector}`"
        )
    if published_operations != (_OPERATIONS,):
        connection.execute(sql.SQL("alter publication {} set (publish = {})").format(name, operations))
        yield (
            f"publication {connector} publishes {_OPERATIONS}; operations it skipped before have no event; "
            f"run `promptsales reconcile {' '.join(contract.table for contract in contracts)}`"
        )


def _grant(connection: psycopg.Connection, contracts: Sequence[StreamContract]) -> Iterator[str]:
    for contract in contracts:
        readable = [
            {name for (name,) in connection.execute(_READABLE, [contract.source.relation, role, role])}
            for role in ROLES
        ]
        if all(names == set(contract.origins) for names in readable):
            continue
        connection.execute(grant_script(contract))
        yield f"{contract.source.relation}: {len(contract.origins)} columns granted to {', '.join(ROLES)}"


def _roles() -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, ROLES))


def grant_script(contract: StreamContract) -> sql.Composed:
    """Return the statements that let Debezium and the audits read the columns of a contract only."""
    return sql.SQL("""
        grant usage on schema {schema} to {role};
        revoke select on {relation} from {role};
        grant select ({columns}) on {relation} to {role}
    """).format(
        schema=identifier(contract.source.relation.split(".")[0]),
        role=_roles(),
        relation=names.relation(contract.source.relation),
        columns=in_lines(map(identifier, contract.origins)),
    )
