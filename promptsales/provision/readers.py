"""Let the roles of the warehouse read what ``reads`` of ``schemas/roles/warehouse.yml`` lists, and no other table."""

from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

from promptsales.provision.changes import ProvisionChange
from promptsales.provision.grants import read_granted, revoke
from promptsales.specs.cluster import Kind, read_cluster_spec

# the values of pg_class.relkind for each kind
_RELKINDS: Mapping[Kind, str] = {"tables": "rp", "views": "vm"}
# the schemas of the pipeline; grants in others are yours
_SCHEMAS = ("staging", "core", "realtime", "marts", "ops")
_UNREADABLE = """
select c.relname from pg_class c
where c.relnamespace = %(schema)s::regnamespace and c.relkind = any(%(relkinds)s::"char"[])
  and not has_table_privilege(%(role)s, c.oid, 'select')
order by 1
"""


def provision_readers(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Give readers the rights that the warehouse's roles file lists, and revoke others, in the caller's transaction."""
    connection.execute("set local role warehouse_owner")
    changes = [
        change
        for name, role in read_cluster_spec("warehouse").roles.items()
        for schema, kinds in role.reads.items()
        for change in _grant(connection, name, schema, kinds)
    ]
    connection.execute("reset role")
    return changes + [
        ProvisionChange(system="warehouse", what=revoke(connection, name, granted))
        for name, role in read_cluster_spec("warehouse").roles.items()
        if role.reads
        for granted in read_granted(connection, name)
        if granted.schema in _SCHEMAS and granted.relkind not in _relkinds(role.reads.get(granted.schema, ()))
    ]


def _relkinds(kinds: tuple[Kind, ...]) -> list[str]:
    return [relkind for kind in kinds for relkind in _RELKINDS[kind]]


def _grant(
    connection: psycopg.Connection, role: str, schema: str, kinds: tuple[Kind, ...]
) -> Iterator[ProvisionChange]:
    identifiers = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    has_usage = connection.execute("select has_schema_privilege(%s, %s, 'usage')", [role, schema]).fetchone()
    if has_usage != (True,):
        connection.execute(sql.SQL("grant usage on schema {schema} to {role}").format(**identifiers))
        yield ProvisionChange(system="warehouse", what=f"{schema}: granted to {role}")
    values = {"schema": schema, "role": role, "relkinds": _relkinds(kinds)}
    for (name,) in connection.execute(_UNREADABLE, values).fetchall():
        grant = sql.SQL("grant select on {} to {role}").format(sql.Identifier(schema, name), **identifiers)
        connection.execute(grant)
        yield ProvisionChange(system="warehouse", what=f"{schema}.{name}: granted to {role}")
