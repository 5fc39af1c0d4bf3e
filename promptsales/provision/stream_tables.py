"""Check that the streamed tables of the warehouse fit their contracts, and write their comments."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import args_row

from promptsales.errors import ConfigError
from promptsales.names import as_regclass, quoting_hint
from promptsales.provision.changes import ProvisionChange
from promptsales.specs.stream import StreamContract, stream_contracts

_OWN = {
    "is_deleted": "Whether the row was deleted at the source; its last values stay.",
    "src_epoch": "Rank of the source's life the version is from (ops.connector); a restored source begins a new one.",
    "src_commit": "Version of the row within the epoch: where the commit before it, or the snapshot, is in the log.",
    "src_lsn": "Position of the change itself, which decides between changes of one transaction.",
    "src_is_snapshot": "Whether the version was read by a snapshot: at the same src_commit a change is newer.",
    "_loaded_at": "When the row was last loaded, UTC.",
}
_HISTORY = {
    "valid_from": "Since when this version holds (inclusive), UTC: when it was committed; -infinity for the first one.",
    "valid_to": "Until when it held (exclusive), UTC; infinity for the current one.",
}
_COLUMNS = (Path(__file__).parent / "sql" / "described_columns.sql").read_bytes()


def provision_stream_tables(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Check every streamed table and write the comments that differ, in the caller's transaction.

    Raises:
        ConfigError: when a table does not fit its contract.
    """
    changes = []
    connection.execute("set local role warehouse_owner")
    for contract in stream_contracts().values():
        described = {column.name: column.description for column in contract.columns}
        name = contract.layer, contract.table
        _check(contract, {column.name: column.type for column in _read_columns(connection, name)})
        written = _comment(connection, name, contract.description, described | _OWN)
        if contract.history:
            versions = {
                column: text for column, text in described.items() if column in (contract.key, *contract.history)
            }
            text = f"Every version of {', '.join(contract.history)} in {'.'.join(name)}."
            history = contract.layer, f"{contract.table}_history"
            written += _comment(connection, history, text, versions | _HISTORY)
        if written:
            changes.append(ProvisionChange(system="warehouse", what=f"{'.'.join(name)}: {written} comments written"))
    connection.execute("reset role")
    return changes


class _ExistingColumn(NamedTuple):
    name: str
    type: str
    comment: str | None


def _read_columns(connection: psycopg.Connection, table: tuple[str, str]) -> list[_ExistingColumn]:
    with connection.cursor(row_factory=args_row(_ExistingColumn)) as cursor:
        return cursor.execute(_COLUMNS, [as_regclass(*table)]).fetchall()


def _check(contract: StreamContract, types: dict[str, str]) -> None:
    for column in contract.columns:
        if (existing := types.get(column.name, "missing")) != column.type:
            raise ConfigError(
                f"contract {contract.table}: {column.name} is {column.type}, in the warehouse it is {existing}; "
                f"change the table by a numbered file in {contract.folder}{quoting_hint(column.name)}"
            )
    if absent := [name for name in _OWN if name not in types]:
        raise ConfigError(
            f"contract {contract.table}: its table in the warehouse lacks {', '.join(absent)}; a streamed table has "
            f"{', '.join(_OWN)}; add what is missing by a numbered file in {contract.folder}, as "
            "warehouse/core/ads/0003_order_of_commits.sql does"
        )


def _comment(connection: psycopg.Connection, name: tuple[str, str], text: str, columns: dict[str, str]) -> int:
    """Write the comments that differ, and return how many they are."""
    statements = list(_compose_comments(connection, name, text, columns))
    for statement in statements:
        connection.execute(statement)
    return len(statements)


def _compose_comments(
    connection: psycopg.Connection, name: tuple[str, str], text: str, columns: dict[str, str]
) -> Iterator[sql.Composed]:
    query = "select obj_description(to_regclass(%s), 'pg_class')"
    if connection.execute(query, [as_regclass(*name)]).fetchone() != (text,):
        yield sql.SQL("comment on table {} is {}").format(sql.Identifier(*name), text)
    comments = {column.name: column.comment for column in _read_columns(connection, name)}
    for column, description in columns.items():
        if comments.get(column) != description:
            yield sql.SQL("comment on column {} is {}").format(sql.Identifier(*name, column), description)
