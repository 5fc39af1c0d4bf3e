"""Grant the roles of the warehouse what ``reads`` of ``schemas/roles/warehouse.yml`` lists."""

from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

from promptsales.provision.changes import ProvisionChange
from promptsales.specs.cluster import Kind, read_cluster_spec

# the values of pg_class.relkind for each kind
_RELKINDS: Mapping[Kind, str] = {"tables": "rp", "views": "vm"}
_UNREADABLE = """
select c.relname from pg_class c
where c.relnamespace = %(schema)s::regnamespace and c.relkind = any(%(relkinds)s::"char"[])
  and not has_table_privilege(%(role)s, c.oid, 'select')
order by 1
"""


def provision_readers(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Grant readers the missing rights that the warehouse's roles file gives them, in the caller's transaction."""
    connection.execute("set local role warehouse_owner")
    changes = [
        change
        for name, role in read_cluster_spec("warehouse").roles.items()
        for schema, kinds in role.reads.items()
        for change in _grant(connection, name, schema, kinds)
    ]
    connection.execute("reset role")
    return changes


def _grant(
    connection: psycopg.Connection, role: str, schema: str, kinds: tuple[Kind, ...]
) -> Iterator[ProvisionChange]:
    identifiers = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    has_usage = connection.execute("select has_schema_privilege(%s, %s, 'usage')", [role, schema]).fetchone()
    if has_usage != (True,):
        connection.execute(sql.SQL("grant usage on schema {schema} to {role}").format(**identifiers))
        yield ProvisionChange(system="warehouse", what=f"{schema}: granted to {role}")
    relkinds = [relkind for kind in kinds for relkind in _RELKINDS[kind]]
    values = {"schema": schema, "role": role, "relkinds": relkinds}
    for (name,) in connection.execute(_UNREADABLE, values).fetchall():
        grant = sql.SQL("grant select on {} to {role}").format(sql.Identifier(schema, name), **identifiers)
        connection.execute(grant)
        yield ProvisionChange(system="warehouse", what=f"{schema}.{name}: granted to {role}")
