"""What the feed contracts say about warehouse tables: staging tables, and the comments of core.

Core tables are made by migrations; that they fit their contract is checked here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.names import in_lines, quoting_hint
from promptsales.provision.changes import Change
from promptsales.specs.feed import Contract, contracts

# the pipeline's own columns
_STAGING = {
    "_load_id": "bigint not null",  # the extraction that staged the row
    "_row": "bigint not null generated always as identity",  # for the checks
    "_rules": "text[]",  # the rules it broke
    "_misfits": "text[]",  # its fields whose type at the source is wrong, where the source knows no types
}
_CORE = {
    "_extraction": "Version of the row: the extraction that loaded it; joins ops.load.",
    "_loaded_at": "When the row was last loaded, UTC.",
}
_HISTORY = {
    "valid_from": "Since when this version holds (inclusive), UTC; -infinity for the first one known.",
    "valid_to": "Until when it held (exclusive), UTC; infinity for the current one.",
}

_TABLES = (Path(__file__).parent / "sql" / "tables.sql").read_bytes()


class Table:
    """A table as it is: its comment, its columns' types and comments, and its definition."""

    def __init__(
        self, comment: str | None, columns: Mapping[str, tuple[str, str | None]], definition: list[str]
    ) -> None:
        self.comment = comment
        self.types = {name: found for name, (found, _) in columns.items()}
        self.comments = {name: text for name, (_, text) in columns.items()}
        self.definition = definition


def tables(connection: psycopg.Connection) -> list[Change]:
    """Bring staging tables and comments to what the contracts say, in the caller's transaction.

    Raises:
        ConfigError: when a core table does not have what its contract says.
    """
    there = {name: Table(*rest) for name, *rest in connection.execute(_TABLES)}
    changes = []
    connection.execute("set local role warehouse_owner")
    for feed in contracts().values():
        check_core(feed, there.get(f"core.{feed.table}"))
        if (staging := there.get(f"staging.{feed.staging}")) is None or staging.definition != _definition(feed):
            connection.execute(staging_script(feed))
            changes.append(Change(system="warehouse", what=f"staging.{feed.staging} {'re' if staging else ''}created"))
        if statements := list(_comments(feed, there)):
            connection.execute(sql.SQL(";").join(statements))
            changes.append(Change(system="warehouse", what=f"core.{feed.table}: {len(statements)} comments written"))
    connection.execute("reset role")
    return changes


def check_core(feed: Contract, table: Table | None) -> None:
    """Compare a core table with its contract.

    Raises:
        ConfigError: naming what is missing or of another type.
    """
    folder = f"warehouse/core/{feed.table}"
    if table is None:
        raise ConfigError(
            f"contract {feed.table}: there is no table core.{feed.table}; {folder}/table.sql is to make it"
            f"{quoting_hint(feed.table)}"
        )
    for column in feed.columns:
        if (found := table.types.get(column.name, "missing")) != column.type:
            raise ConfigError(
                f"contract {feed.table}: {column.name} is {column.type}, in core.{feed.table} it is {found}; "
                f"change the table by a numbered file in {folder}{quoting_hint(column.name)}"
            )


def _definition(feed: Contract) -> list[str]:
    return [f"{column.name} {column.type}" for column in feed.columns] + [
        f"{name} {rest}" for name, rest in _STAGING.items()
    ]


def staging_script(feed: Contract) -> sql.Composed:
    """The statements that make a feed's staging table anew: the contract's columns and the pipeline's, no WAL."""
    columns = [sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type)) for column in feed.columns]
    columns += [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(rest)) for name, rest in _STAGING.items()]
    return sql.SQL("""
        drop table if exists {table};
        create unlogged table {table} (
                {columns}
        );
        comment on table {table} is {text}
    """).format(
        table=sql.Identifier("staging", feed.staging),
        columns=in_lines(columns),
        text=f"Rows of {feed.source.relation} on their way into core.{feed.table}; emptied by each load.",
    )


def _comments(feed: Contract, there: Mapping[str, Table]) -> Iterator[sql.Composed]:
    """The comments of a core table, and of its history, that are not as the contract says."""
    described = {column.name: column.description for column in feed.columns}
    yield from _missing(feed.table, there[f"core.{feed.table}"], feed.description, described | _CORE)
    if feed.history:
        versions = {name: text for name, text in described.items() if name in (feed.key, *feed.history)}
        text = f"Every version of {', '.join(feed.history)} in core.{feed.table}."
        yield from _missing(f"{feed.table}_history", there[f"core.{feed.table}_history"], text, versions | _HISTORY)


def _missing(name: str, table: Table, text: str, columns: Mapping[str, str]) -> Iterator[sql.Composed]:
    if table.comment != text:
        yield sql.SQL("comment on table {} is {}").format(sql.Identifier("core", name), text)
    for column, description in columns.items():
        if table.comments.get(column) != description:
            yield sql.SQL("comment on column {} is {}").format(sql.Identifier("core", name, column), description)
