"""Apply ``mart.yml`` to the warehouse: check tables and views, write comments, create staging tables, grant rights."""

from collections.abc import Iterator

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.provision.changes import ProvisionChange
from promptsales.specs.mart import Mart, catalogue

_RELATIONS = """
select c.relname, obj_description(c.oid, 'pg_class'), has_table_privilege('bi_reader', c.oid, 'select'),
       array_agg(array[a.attname::text, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)]
                 order by a.attnum)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'v', 'm')
group by c.oid, c.relname
"""


class ExistingRelation:
    """A table or view in the warehouse."""

    def __init__(self, comment: str | None, is_readable: bool, columns: list[list[str]]) -> None:
        self.comment, self.is_readable = comment, is_readable
        self.definition = [(name, kind) for name, kind, _ in columns]
        self.comments = {name: text for name, _, text in columns}


def provision_marts(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Update comments, staging tables and grants of the marts to match ``mart.yml``, in the caller's transaction.

    Raises:
        ConfigError: when a table or view does not fit its ``mart.yml``, or has none.
    """
    existing = _read_relations(connection, "marts")
    staged = _read_relations(connection, "staging")
    if unknown := sorted(existing.keys() - catalogue().keys()):
        raise ConfigError(f"marts.{unknown[0]} has no mart.yml; add one, or drop the table")
    changes = []
    connection.execute("set local role warehouse_owner")
    for mart in catalogue().values():
        relation = _check(mart, existing.get(mart.mart))
        statements = [*_staging(mart, staged.get(mart.staging)), *_comments(mart, relation), *_grant(mart, relation)]
        for statement, _ in statements:
            connection.execute(statement)
        for what in dict.fromkeys(what for _, what in statements):
            changes.append(ProvisionChange(system="warehouse", what=f"marts.{mart.mart}: {what}"))
    connection.execute("reset role")
    return changes


def _read_relations(connection: psycopg.Connection, schema: str) -> dict[str, ExistingRelation]:
    return {name: ExistingRelation(*rest) for name, *rest in connection.execute(_RELATIONS, [schema])}


def _check(mart: Mart, relation: ExistingRelation | None) -> ExistingRelation:
    expected = [(column.name, column.type) for column in mart.columns]
    if relation is None:
        raise ConfigError(f"mart {mart.mart}: there is no marts.{mart.mart}; create it by a file in {mart.folder}")
    if relation.definition != expected:
        differing = sorted(set(relation.definition) ^ set(expected)) or "their order"
        raise ConfigError(
            f"mart {mart.mart}: mart.yml and the warehouse differ in {differing}; change the table by a numbered file "
            f"in {mart.folder}, or change mart.yml"
        )
    return relation


def _staging(mart: Mart, staged: ExistingRelation | None) -> Iterator[tuple[sql.Composed, str]]:
    if mart.kind == "view" or (staged and staged.definition == [(c.name, c.type) for c in mart.columns]):
        return
    columns = [sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(c.type)) for c in mart.columns]
    statement = sql.SQL("drop table if exists {table}; create unlogged table {table} ({columns}); "
                        "comment on table {table} is {text}")  # fmt: skip
    yield (
        statement.format(
            table=sql.Identifier("staging", mart.staging),
            columns=sql.SQL(", ").join(columns),
            text=f"Rows of marts.{mart.mart} that were built and are not yet checked; emptied by each build.",
        ),
        "staging table made",
    )


def _comments(mart: Mart, relation: ExistingRelation) -> Iterator[tuple[sql.Composed, str]]:
    kind = sql.SQL(mart.kind)
    if relation.comment != mart.description:
        statement = sql.SQL("comment on {} {} is {}")
        yield statement.format(kind, sql.Identifier("marts", mart.mart), mart.description), "comments written"
    for column in mart.columns:
        if relation.comments[column.name] != column.comment:
            statement = sql.SQL("comment on column {} is {}")
            yield (
                statement.format(sql.Identifier("marts", mart.mart, column.name), column.comment),
                "comments written",
            )


def _grant(mart: Mart, relation: ExistingRelation) -> Iterator[tuple[sql.Composed, str]]:
    if not relation.is_readable:
        statement = sql.SQL("grant select on {} to bi_reader").format(sql.Identifier("marts", mart.mart))
        yield statement, "granted to readers"
