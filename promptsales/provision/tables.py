"""Create the staging tables of the feeds, check that core tables fit their contracts, and write their comments.

Migrations create the core tables.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from promptsales.errors import ConfigError
from promptsales.names import in_lines, quoting_hint
from promptsales.provision.changes import ProvisionChange
from promptsales.specs.feed import Contract, contracts

# the columns that the pipeline adds
_STAGING = {
    "_load_id": "bigint not null",  # the extraction that staged the row
    "_row": "bigint not null generated always as identity",  # identifies the row in checks
    "_rules": "text[]",  # the rules that the row breaks
    "_misfits": "text[]",  # the fields of a document whose values have a wrong type
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


class ExistingTable:
    """A table in the warehouse: its comment, its definition, and the types and comments of its columns."""

    def __init__(
        self, comment: str | None, columns: Mapping[str, tuple[str, str | None]], definition: list[str]
    ) -> None:
        self.comment = comment
        self.types = {name: kind for name, (kind, _) in columns.items()}
        self.comments = {name: text for name, (_, text) in columns.items()}
        self.definition = definition


def provision_tables(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Update staging tables and comments to match the contracts, in the caller's transaction.

    Raises:
        ConfigError: when a core table does not fit its contract.
    """
    existing = {name: ExistingTable(*rest) for name, *rest in connection.execute(_TABLES)}
    changes: list[str] = []
    connection.execute("set local role warehouse_owner")
    for feed in contracts().values():
        check_core(feed, existing.get(f"core.{feed.table}"))
        if (staging := existing.get(f"staging.{feed.staging}")) is None or staging.definition != _definition(feed):
            # a contract names a type of an extension without its schema; the script calls no function
            connection.execute("set local search_path = pg_catalog, public, pg_temp")
            connection.execute(staging_script(feed))
            connection.execute("set local search_path to default")
            changes.append(f"staging.{feed.staging} {'re' if staging else ''}created")
        if statements := list(_comments(feed, existing)):
            connection.execute(sql.SQL(";").join(statements))
            changes.append(f"core.{feed.table}: {len(statements)} comments written")
    connection.execute("reset role")
    return [ProvisionChange(system="warehouse", what=what) for what in changes]


def check_core(feed: Contract, table: ExistingTable | None) -> None:
    """Check that a core table fits its contract.

    Raises:
        ConfigError: with the column that is missing or of another type.
    """
    folder = f"warehouse/core/{feed.table}"
    if table is None:
        raise ConfigError(
            f"contract {feed.table}: there is no table core.{feed.table}; create it in {folder}/table.sql"
            f"{quoting_hint(feed.table)}"
        )
    for column in feed.columns:
        if (existing := table.types.get(column.name, "missing")) != column.type:
            raise ConfigError(
                f"contract {feed.table}: {column.name} is {column.type}, in core.{feed.table} it is {existing}; "
                f"change the table by a numbered file in {folder}{quoting_hint(column.name)}"
            )


def _definition(feed: Contract) -> list[str]:
    return [f"{column.name} {column.type}" for column in feed.columns] + [
        f"{name} {rest}" for name, rest in _STAGING.items()
    ]


def staging_script(feed: Contract) -> sql.Composed:
    """Return the statements that recreate a feed's staging table, unlogged, with the pipeline's columns added."""
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


def _comments(feed: Contract, existing: Mapping[str, ExistingTable]) -> Iterator[sql.Composed]:
    """Return the statements for comments of a core table and its history that differ from the contract."""
    described = {column.name: column.description for column in feed.columns}
    yield from _table_comments(feed.table, existing[f"core.{feed.table}"], feed.description, described | _CORE)
    if feed.history:
        history = f"{feed.table}_history"
        versions = {name: text for name, text in described.items() if name in (feed.key, *feed.history)}
        text = f"Every version of {', '.join(feed.history)} in core.{feed.table}."
        yield from _table_comments(history, existing[f"core.{history}"], text, versions | _HISTORY)


def _table_comments(name: str, table: ExistingTable, text: str, columns: Mapping[str, str]) -> Iterator[sql.Composed]:
    if table.comment != text:
        yield sql.SQL("comment on table {} is {}").format(sql.Identifier("core", name), text)
    for column, description in columns.items():
        if table.comments.get(column) != description:
            yield sql.SQL("comment on column {} is {}").format(sql.Identifier("core", name, column), description)
