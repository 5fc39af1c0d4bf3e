"""The publications of a source database, and what Debezium's role may read there: derived from the stream's contracts.

A publication names its columns, so that what no contract names is never sent. Four ways of publishing make the
application's own UPDATE and DELETE fail (SQLSTATE 42P10); ``mistakes`` finds them, and provisioning refuses them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, get_args

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.provision.changes import Change
from promptsales.provision.lines import Database
from promptsales.stream_contracts import Connector, StreamContract, contracts_of

ROLE = "cdc"
DATABASES: dict[Connector, Database] = {"promptads": "promptsales", "promptcrm": "promptcrm"}
_OPERATIONS = "insert, update, delete"

_TABLES = """
select n.nspname || '.' || c.relname as relation,
       (select array_agg(a.attname::text order by a.attname) from pg_attribute a
        where a.attrelid = c.oid and a.attnum = any(r.prattrs)) as columns,
       (select array_agg(a.attname::text) from pg_attribute a
        where a.attrelid = c.oid and r.prqual is not null
          and pg_get_expr(r.prqual, c.oid) ~ ('\\m' || a.attname || '\\M')) as filtered,
       c.relreplident::text as identity,
       (select array_agg(a.attname::text) from pg_index i join pg_attribute a on a.attrelid = i.indrelid
        and a.attnum = any(i.indkey)
        where i.indrelid = c.oid and case c.relreplident when 'i' then i.indisreplident else i.indisprimary end) as key,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attgenerated = 's') as is_generated
from pg_publication p
join pg_publication_rel r on r.prpubid = p.oid
join pg_class c on c.oid = r.prrelid
join pg_namespace n on n.oid = c.relnamespace
where p.pubname = %s
"""
_OPERATIONS_OF = """
select concat_ws(', ', case when pubinsert then 'insert' end, case when pubupdate then 'update' end,
                 case when pubdelete then 'delete' end, case when pubtruncate then 'truncate' end)
from pg_publication where pubname = %s
"""
# by name in the catalogue: what is not there is simply not readable
_READABLE = """
select a.attname::text from pg_attribute a join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
  and has_schema_privilege(%s, n.oid, 'usage') and has_column_privilege(%s, c.oid, a.attnum, 'select')
"""
_COLUMNS = """
select a.attname::text, c.relreplident::text from pg_attribute a join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = %s and a.attnum > 0 and not a.attisdropped
"""


class Published(NamedTuple):
    """A table as a publication has it; ``columns`` None for all of them, ``filtered`` are those a row filter names."""

    relation: str
    columns: list[str] | None
    filtered: list[str] | None
    identity: str
    key: list[str] | None
    is_generated: bool


def publications(connection: psycopg.Connection, database: Database) -> list[Change]:
    """Bring a database's publications, and what Debezium may read, to what the contracts say.

    Raises:
        ConfigError: when a contract names a column that is not there, or the table's replica identity would make the
            application's own writes fail.
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
    if set(there.values()) - {"d"}:
        raise ConfigError(
            f"contract {contract.table}: {relation} has another replica identity than its primary key; with published "
            f"columns its own updates would fail: alter table {relation} replica identity default"
        )


def _publish(connection: psycopg.Connection, connector: Connector, found: Sequence[StreamContract]) -> Iterator[str]:
    tables = sql.SQL(", ").join(
        sql.SQL("table {} ({})").format(
            sql.Identifier(*contract.source.relation.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, contract.origins)),
        )
        for contract in found
    )
    name, operations = sql.Identifier(connector), sql.Literal(_OPERATIONS)
    there = connection.execute(_OPERATIONS_OF, [connector]).fetchone()
    if there is None:
        connection.execute(sql.SQL("create publication {} for {} with (publish = {})").format(name, tables, operations))
        yield f"publication {connector} created"
        return
    if {item.relation: item.columns for item in published(connection, connector)} != _wanted(found):
        connection.execute(sql.SQL("alter publication {} set {}").format(name, tables))
        yield f"publication {connector}: tables and columns as the contracts say"
    if there != (_OPERATIONS,):
        connection.execute(sql.SQL("alter publication {} set (publish = {})").format(name, operations))
        yield f"publication {connector}: {_OPERATIONS}"


def _wanted(found: Sequence[StreamContract]) -> dict[str, list[str] | None]:
    return {contract.source.relation: sorted(contract.origins) for contract in found}


def published(connection: psycopg.Connection, connector: Connector) -> list[Published]:
    """What a publication sends now."""
    return [Published(*row) for row in connection.execute(_TABLES, [connector])]


def _grant(connection: psycopg.Connection, found: Sequence[StreamContract]) -> Iterator[str]:
    for contract in found:
        schema, table = contract.source.relation.split(".")
        readable = {name for (name,) in connection.execute(_READABLE, [contract.source.relation, ROLE, ROLE])}
        if readable == set(contract.origins):
            continue
        connection.execute(
            sql.SQL("""
                grant usage on schema {schema} to {role};
                revoke select on {relation} from {role};
                grant select ({columns}) on {relation} to {role}
            """).format(
                schema=sql.Identifier(schema),
                role=sql.Identifier(ROLE),
                relation=sql.Identifier(schema, table),
                columns=sql.SQL(", ").join(map(sql.Identifier, contract.origins)),
            )
        )
        yield f"{contract.source.relation}: {len(contract.origins)} columns granted to {ROLE}"


def mistakes(tables: Sequence[Published], found: Sequence[StreamContract]) -> Iterator[tuple[str, str]]:
    """What is wrong with a publication, by relation: what stops the application's writes, and what is not sent."""
    there = {table.relation: table for table in tables}
    for contract in found:
        relation = contract.source.relation
        if relation not in there:
            yield relation, "is not in the publication any more (a DROP .. CASCADE?): its changes are lost from now on"
        elif set(there[relation].columns or ()) != set(contract.origins):
            yield relation, "does not publish the columns its contract names"
    for table in tables:
        yield from ((table.relation, what) for what in _fatal(table))


def _fatal(table: Published) -> Iterator[str]:
    key = set(table.key or ())
    if table.identity == "n" or not key:
        yield "has no replica identity: its own updates and deletes fail"
    if table.identity == "f" and table.columns is not None:
        yield "publishes some columns and has replica identity full: its own updates fail"
    elif table.identity == "f" and table.is_generated:
        yield "has a generated column and replica identity full: its own updates fail"
    if table.columns is not None and not key <= set(table.columns):
        yield "does not publish its key: its own updates fail"
    if set(table.filtered or ()) - key:
        yield "has a row filter on a column outside its key: its own updates and deletes fail"
