"""What ``mart.yml`` says, in the warehouse: tables and views that fit it, comments, staging tables."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.names import in_lines
from promptsales.provision.changes import Change
from promptsales.specs.mart import Mart, catalogue

_RELATIONS = (Path(__file__).parent / "sql" / "relations.sql").read_bytes()


class Relation:
    """A table or view as it is."""

    def __init__(self, comment: str | None, columns: list[list[str]]) -> None:
        self.comment = comment
        self.definition = [(name, kind) for name, kind, _ in columns]
        self.comments = {name: text for name, _, text in columns}


def marts(connection: psycopg.Connection) -> list[Change]:
    """Bring comments and staging tables to what the catalogue says, in the caller's transaction.

    Raises:
        ConfigError: when a table or view does not have what its ``mart.yml`` says, or has no ``mart.yml``.
    """
    there = _relations(connection, "marts")
    staged = _relations(connection, "staging")
    if find_unexpected_keys := sorted(there.keys() - catalogue().keys()):
        raise ConfigError(f"marts.{find_unexpected_keys[0]} has no mart.yml: nobody knows what it means")
    changes = []
    connection.execute("set local role warehouse_owner")
    for mart in catalogue().values():
        found = _checked(mart, there.get(mart.mart))
        statements = [*_staging(mart, staged.get(mart.staging)), *_comments(mart, found)]
        for statement, _ in statements:
            connection.execute(statement)
        for what in dict.fromkeys(what for _, what in statements):
            changes.append(Change(system="warehouse", what=f"marts.{mart.mart}: {what}"))
    connection.execute("reset role")
    return changes


def _relations(connection: psycopg.Connection, schema: str) -> dict[str, Relation]:
    return {name: Relation(*rest) for name, *rest in connection.execute(_RELATIONS, [schema])}


def _checked(mart: Mart, found: Relation | None) -> Relation:
    wanted = [(column.name, column.type) for column in mart.columns]
    if found is None:
        raise ConfigError(f"mart {mart.mart}: there is no marts.{mart.mart}; {mart.folder} is to make it")
    if found.definition != wanted:
        differing = sorted(set(found.definition) ^ set(wanted)) or "their order"
        raise ConfigError(
            f"mart {mart.mart}: mart.yml and the warehouse differ in {differing}; change one by a numbered file in "
            f"{mart.folder}, or mart.yml"
        )
    return found


def _staging(mart: Mart, found: Relation | None) -> Iterator[tuple[sql.Composed, str]]:
    if mart.kind == "view" or (found and found.definition == [(c.name, c.type) for c in mart.columns]):
        return
    yield staging_script(mart), "staging table made"


def staging_script(mart: Mart) -> sql.Composed:
    """Compose the statements that create a mart's staging table anew, with the mart's columns and no WAL."""
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


def _comments(mart: Mart, found: Relation) -> Iterator[tuple[sql.Composed, str]]:
    kind = sql.SQL(mart.kind)
    if found.comment != mart.description:
        statement = sql.SQL("comment on {} {} is {}")
        yield statement.format(kind, sql.Identifier("marts", mart.mart), mart.description), "comments written"
    for column in mart.columns:
        if found.comments[column.name] != column.comment:
            statement = sql.SQL("comment on column {} is {}")
            yield (
                statement.format(sql.Identifier("marts", mart.mart, column.name), column.comment),
                "comments written",
            )
