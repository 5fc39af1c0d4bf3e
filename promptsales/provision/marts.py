"""Apply ``mart.yml`` to the warehouse: check tables and views, write comments and create staging tables."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.names import in_lines
from promptsales.provision.changes import ProvisionChange
from promptsales.specs.mart import Mart, catalogue

_RELATIONS = (Path(__file__).parent / "sql" / "relations.sql").read_bytes()


class ExistingRelation:
    """A table or view in the warehouse."""

    def __init__(self, comment: str | None, columns: list[list[str]]) -> None:
        self.comment = comment
        self.definition = [(name, kind) for name, kind, _ in columns]
        self.comments = {name: text for name, _, text in columns}


def provision_marts(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Update comments and staging tables of the marts to match ``mart.yml``, in the caller's transaction.

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
        statements = [*_staging(mart, staged.get(mart.staging)), *_comments(mart, relation)]
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
    yield staging_script(mart), "staging table created"


def staging_script(mart: Mart) -> sql.Composed:
    """Return the statements that recreate a mart's staging table, unlogged, with the mart's columns."""
    columns = (sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(c.type)) for c in mart.columns)
    return sql.SQL("""
        drop table if exists {table};
        create unlogged table {table} (
                {columns}
        );
        comment on table {table} is {text}
    """).format(
        table=sql.Identifier("staging", mart.staging),
        columns=in_lines(columns),
        text=f"Rows of marts.{mart.mart} that were built and are not yet checked; emptied by each build.",
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
