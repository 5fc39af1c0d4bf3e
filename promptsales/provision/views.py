"""Create the hashing views of a source database from the feed contracts; the pipeline may read nothing else there.

A view of ``etl`` has the columns of the contract, in order. Its owner ``etl_owner`` may read the columns the contract
names, and the key. The reader may read the view only, so clear text and the key never leave the database.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import args_row

from promptsales import names
from promptsales.errors import ConfigError
from promptsales.extract.delta import read_view_tables
from promptsales.hashing.normal_forms import HMAC_SQL, IS_EMAIL_VALID_SQL, NORMAL_FORMS, TEXT_LENGTH_SQL
from promptsales.hashing.redaction import compose_redaction
from promptsales.names import identifier, in_lines, regclass_of
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import Database
from promptsales.specs.column import REDACTED, Column
from promptsales.specs.feed import Contract, contracts

_KID = "(select kid from etl.pii_pad where is_active)"

_COLUMNS = (Path(__file__).parent / "sql" / "source_columns.sql").read_bytes()
_DERIVED = (Path(__file__).parent / "sql" / "derived_views.sql").read_bytes()

_NEEDED = (Path(__file__).parent / "sql" / "needs_of_delta.sql").read_bytes()


def provision_views(connection: psycopg.Connection, database: Database) -> list[ProvisionChange]:
    """Create the views of a database's feeds, recreate changed ones, and drop those that no contract names.

    Raises:
        ConfigError: when a contract names a relation or column that is missing or of another type.
    """
    existing: dict[str, str] = dict(connection.execute(_DERIVED).fetchall())
    feeds = {
        name: feed for name, feed in contracts().items() if feed.source.system == database and feed.hash_at == "source"
    }
    reads = read_view_tables(connection)
    changes = []
    for name in sorted(existing.keys() - feeds.keys()):
        connection.execute(sql.SQL("drop view {}").format(sql.Identifier("etl", name)))
        changes.append(ProvisionChange(system=database, what=f"view etl.{name} dropped: no contract names it"))
    for name, feed in feeds.items():
        script = view_script(feed, source_types(connection, feed))
        # PostgreSQL does not keep the text of a view, so its comment stores a checksum
        comment = f"{feed.description} [sha256 {sha256(script.as_string(connection).encode()).hexdigest()}]"
        stale = reads.get(name, set()) - {feed.source.relation}
        if existing.get(name) != comment or stale:
            connection.execute(script)
            connection.execute(sql.SQL("comment on view {} is {}").format(sql.Identifier("etl", name), comment))
            what = f"view etl.{name} {'recreated' if name in existing else 'created'}"
            changes.append(ProvisionChange(system=database, what=what))
    warnings = _find_missing(connection, feeds)
    return changes + [ProvisionChange(system=database, what=what, is_warning=True) for what in warnings]


class _Needed(NamedTuple):
    """What a delta needs of a table; a view or a missing relation needs nothing."""

    is_table: bool
    is_indexed: bool
    has_trigger: bool


def _find_missing(connection: psycopg.Connection, feeds: Mapping[str, Contract]) -> Iterator[str]:
    """Yield which tables lack an index or a trigger that deltas need; `create table like` copies no trigger."""
    for feed in feeds.values():
        relation, cursor = feed.source.relation, feed.column(feed.cursor).origin
        with connection.cursor(row_factory=args_row(_Needed)) as rows:
            needed = rows.execute(_NEEDED, [cursor, regclass_of(relation)]).fetchone()
        if needed is None or not needed.is_table:
            continue
        if not needed.is_indexed:
            yield f"{relation} has no index that begins with {cursor}, so each load reads all of it; create one"
        if not needed.has_trigger:
            yield (
                f"{relation} has no trigger that runs before update of each row, so a change that leaves {cursor} "
                f"alone is missed; create one that sets {cursor}"
            )


def source_types(connection: psycopg.Connection, feed: Contract) -> dict[str, str]:
    """Return the types of a relation's columns, by name.

    Raises:
        ConfigError: when there is no such relation.
    """
    types: dict[str, str] = dict(connection.execute(_COLUMNS, [regclass_of(feed.source.relation)]).fetchall())
    if not types:
        raise ConfigError(f"contract {feed.table}: there is no {feed.source.relation} in {feed.source.system}")
    return types


def view_script(feed: Contract, types: Mapping[str, str]) -> sql.Composed:
    """Return the statements that create a feed's view and grant each role the rights it needs.

    Args:
        feed: the contract.
        types: the types of the relation's columns, by name.

    Raises:
        ConfigError: when a column is missing, or of another type than in the contract.
    """
    return sql.SQL("""
        drop view if exists {view};
        grant usage on schema {schema} to etl_owner;
        revoke select on {relation} from etl_owner;
        grant select ({origins}) on {relation} to etl_owner;
        create view {view} with (security_barrier) as
            select {columns}
            from {relation};
        alter view {view} owner to etl_owner;
        grant select on {view} to etl_reader;
    """).format(
        view=sql.Identifier("etl", feed.table),
        schema=identifier(feed.source.relation.split(".")[0]),
        relation=names.relation(feed.source.relation),
        origins=in_lines(map(identifier, sorted(feed.origins))),
        columns=in_lines(
            sql.SQL("{} as {}").format(_expression(feed, column, types), sql.Identifier(column.name))
            for column in feed.columns
        ),
    )


def _expression(feed: Contract, column: Column, types: Mapping[str, str]) -> sql.Composable:
    if column.transform == "pii_kid":
        return sql.SQL(_KID)
    if column.origin not in types:
        raise ConfigError(f"contract {feed.table}: {feed.source.relation} has no column {column.origin}")
    name = identifier(column.origin)
    if column.transform == "as_is":
        return _as_is(feed, column, types[column.origin])
    if column.transform in REDACTED:
        value = _as_is(feed, column, types[column.origin])
        return sql.SQL("({})::{}").format(compose_redaction(column, value), sql.SQL(column.type))
    if column.transform == "is_email_valid":
        return sql.SQL(IS_EMAIL_VALID_SQL).format(column=name)
    if column.transform == "text_length":
        return sql.SQL(TEXT_LENGTH_SQL).format(column=name)
    form = NORMAL_FORMS[column.transform]
    return sql.SQL(HMAC_SQL).format(separator=sql.Literal(form.separator), value=sql.SQL(form.sql).format(column=name))


def _as_is(feed: Contract, column: Column, kind: str) -> sql.Composable:
    name = identifier(column.origin)
    if kind == column.type:
        return name
    if (kind, column.type) == ("timestamp without time zone", "timestamp with time zone"):
        return sql.SQL("{} at time zone 'UTC'").format(name)  # the sources store naive times in UTC
    raise ConfigError(
        f"contract {feed.table}: {column.origin} of {feed.source.relation} is {kind}, the contract says {column.type}; "
        "change one of them"
    )
