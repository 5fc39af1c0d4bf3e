"""Let the roles of the warehouse read what ``schemas/roles/warehouse.yml`` lists, and no other table."""

from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

from promptsales.provision.changes import ProvisionChange
from promptsales.provision.grants import Granted, read_granted, revoke
from promptsales.specs.cluster import Kind, Role, read_cluster_spec

# the values of pg_class.relkind for each kind
_RELKINDS: Mapping[Kind, str] = {"tables": "rp", "views": "vm"}
# the schemas of the pipeline; grants in others are yours
_SCHEMAS = ("staging", "core", "realtime", "marts", "ops")
_UNREADABLE = """
select c.relname from pg_class c
where c.relnamespace = %(schema)s::regnamespace
  and (c.relkind = any(%(relkinds)s::"char"[]) or c.relname = any(%(names)s))
  and not has_table_privilege(%(role)s, c.oid, 'select')
order by 1
"""


def provision_readers(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Give readers the rights that the warehouse's roles file lists, and revoke others, in the caller's transaction."""
    readers = {
        name: role for name, role in read_cluster_spec("warehouse").roles.items() if role.reads or role.relations
    }
    connection.execute("set local role warehouse_owner")
    changes = [
        change
        for name, role in readers.items()
        for schema in sorted(_schemas(role))
        for change in _grant(connection, name, schema, role)
    ]
    connection.execute("reset role")
    return changes + [
        ProvisionChange(system="warehouse", what=revoke(connection, name, granted))
        for name, role in readers.items()
        for granted in read_granted(connection, name)
        if granted.schema in _SCHEMAS and not _is_listed(role, granted)
    ]


def _schemas(role: Role) -> set[str]:
    return {*role.reads, *(relation.partition(".")[0] for relation in role.relations)}


def _is_listed(role: Role, granted: Granted) -> bool:
    return (
        granted.relkind in _relkinds(role.reads.get(granted.schema, ()))
        or f"{granted.schema}.{granted.name}" in role.relations
    )


def _relkinds(kinds: tuple[Kind, ...]) -> list[str]:
    return [relkind for kind in kinds for relkind in _RELKINDS[kind]]


def _grant(connection: psycopg.Connection, name: str, schema: str, role: Role) -> Iterator[ProvisionChange]:
    identifiers = {"schema": sql.Identifier(schema), "role": sql.Identifier(name)}
    has_usage = connection.execute("select has_schema_privilege(%s, %s, 'usage')", [name, schema]).fetchone()
    if has_usage != (True,):
        connection.execute(sql.SQL("grant usage on schema {schema} to {role}").format(**identifiers))
        yield ProvisionChange(system="warehouse", what=f"{schema}: granted to {name}")
    names = [relation.partition(".")[2] for relation in role.relations if relation.startswith(f"{schema}.")]
    values = {"schema": schema, "role": name, "relkinds": _relkinds(role.reads.get(schema, ())), "names": names}
    for (relation,) in connection.execute(_UNREADABLE, values).fetchall():
        grant = sql.SQL("grant select on {} to {role}").format(sql.Identifier(schema, relation), **identifiers)
        connection.execute(grant)
        yield ProvisionChange(system="warehouse", what=f"{schema}.{relation}: granted to {name}")
