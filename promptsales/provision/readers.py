"""What readers may read: ``reads`` of ``schemas/roles/warehouse.yml`` as grants."""

from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

from promptsales.provision.changes import Change
from promptsales.provision.cluster import Kind, wanted

# the relkinds of pg_class that each kind stands for
_RELKINDS: Mapping[Kind, str] = {"tables": "rp", "views": "vm"}
_UNREADABLE = """
select c.relname from pg_class c
where c.relnamespace = %(schema)s::regnamespace and c.relkind = any(%(relkinds)s::"char"[])
  and not has_table_privilege(%(role)s, c.oid, 'select')
order by 1
"""


def readers(connection: psycopg.Connection) -> list[Change]:
    """Grant readers what the warehouse's roles file lets them read, in the caller's transaction."""
    connection.execute("set local role warehouse_owner")
    changes = [
        change
        for role, goal in wanted("warehouse").roles.items()
        for schema, kinds in goal.reads.items()
        for change in _grant(connection, role, schema, kinds)
    ]
    connection.execute("reset role")
    return changes


def _grant(connection: psycopg.Connection, role: str, schema: str, kinds: tuple[Kind, ...]) -> Iterator[Change]:
    to = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    usage = connection.execute("select has_schema_privilege(%s, %s, 'usage')", [role, schema]).fetchone()
    if usage != (True,):
        connection.execute(sql.SQL("grant usage on schema {schema} to {role}").format(**to))
        yield Change(system="warehouse", what=f"{schema}: granted to {role}")
    relkinds = [relkind for kind in kinds for relkind in _RELKINDS[kind]]
    values = {"schema": schema, "role": role, "relkinds": relkinds}
    for (name,) in connection.execute(_UNREADABLE, values).fetchall():
        grant = sql.SQL("grant select on {} to {role}").format(sql.Identifier(schema, name), **to)
        connection.execute(grant)
        yield Change(system="warehouse", what=f"{schema}.{name}: granted to {role}")
