"""The hashing views of a source database, derived from the feed contracts: all that the pipeline may read of it.

A view of ``etl`` has the target's columns, in order. It belongs to ``etl_owner``, who may read the columns the contract
names and the key; the reader may read the view only, so clear text and key never leave the database.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

from promptsales import names
from promptsales.errors import ConfigError
from promptsales.extract.delta import read_view_tables
from promptsales.names import identifier, in_lines, regclass_of
from promptsales.provision.changes import Change
from promptsales.provision.lines import Database
from promptsales.specs.feed import Column, Contract, Transform, contracts

# Normal forms (domain.md section 1), the same in Python. ASCII white space and A-Z only: what a locale calls a space
# or a lower-case letter differs between systems. '' is no value.
_SPACE = r"E' \t\n\r\f\v'"
# to normalise costs as much as to hash, and ASCII is normal as it stands
_NFC = (
    "case when octet_length({column}::text) = char_length({column}::text)"
    " then {column}::text else normalize({column}::text, nfc) end"
)
_EMAIL = "nullif(lower(btrim(" + _NFC + ", " + _SPACE + ") collate \"C\"), '')"
_EMAIL_DOMAIN = "case when strpos({column}::text, '@') > 0 then nullif(split_part(" + _EMAIL + ", '@', -1), '') end"
_PHONE = "'+' || nullif(regexp_replace({column}::text, '[^0-9]', '', 'g'), '')"
_CLICK_ID = "nullif(btrim({column}::text, " + _SPACE + "), '')"
_TEXT = "nullif({column}::text, '')"
_LENGTH = "char_length({column}::text)"
_VALID = _EMAIL + r" ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$'"

# HMAC-SHA256(key, domain || 0x00 || value) from the pads; inline, as a function would run with the reader's rights.
# Two active keys are an error here, none gives nulls, which the extract refuses by etl.pii_key
_HMAC = (
    "sha256((select outer_pad from etl.pii_pad where is_active) || sha256(\n"
    "                    (select inner_pad from etl.pii_pad where is_active) || {domain}\n"
    "                    || convert_to({value}, 'UTF8')))"
)
_HASHED: dict[Transform, tuple[bytes, str]] = {
    "email_hmac": (b"email\0", _EMAIL),
    "email_domain_hmac": (b"email_domain\0", _EMAIL_DOMAIN),
    "phone_hmac": (b"phone\0", _PHONE),
    "click_id_hmac": (b"click_id\0", _CLICK_ID),
    "text_hmac": (b"text\0", _TEXT),
}
_KID = "(select kid from etl.pii_pad where is_active)"

_COLUMNS = (Path(__file__).parent / "sql" / "source_columns.sql").read_bytes()
_DERIVED = (Path(__file__).parent / "sql" / "derived_views.sql").read_bytes()

_NEEDED = (Path(__file__).parent / "sql" / "needs_of_delta.sql").read_bytes()


def hashing_views(connection: psycopg.Connection, database: Database) -> list[Change]:
    """Make the views of a database's feeds, remake the changed, drop those no contract names.

    Raises:
        ConfigError: when a contract names a relation or column that is not there, or of another type.
    """
    there: dict[str, str] = dict(connection.execute(_DERIVED).fetchall())
    feeds = {
        name: feed
        for name, feed in contracts().items()
        if feed.source.system == database and feed.hash_at == "source"  # else nothing may be made there
    }
    reads = read_view_tables(connection)
    changes = []
    for name in sorted(there.keys() - feeds.keys()):
        connection.execute(sql.SQL("drop view {}").format(sql.Identifier("etl", name)))
        changes.append(Change(system=database, what=f"view etl.{name} dropped: no contract names it"))
    for name, feed in feeds.items():
        script = view_script(feed, source_types(connection, feed))
        # the text of a view does not come back as it was written, so its comment keeps the checksum
        comment = f"{feed.description} [sha256 {sha256(script.as_string(connection).encode()).hexdigest()}]"
        stale = reads.get(name, set()) - {feed.source.relation}
        if there.get(name) != comment or stale:
            connection.execute(script)
            _forget(connection, stale - {feed.source.relation for feed in feeds.values()})
            connection.execute(sql.SQL("comment on view {} is {}").format(sql.Identifier("etl", name), comment))
            changes.append(Change(system=database, what=f"view etl.{name} {'remade' if name in there else 'created'}"))
    return changes + [Change(system=database, what=what, is_warning=True) for what in _lacking(connection, feeds)]


def _forget(connection: psycopg.Connection, stale: set[str]) -> None:
    """Take the rights on tables away that no view reads any more: they were replaced under their names."""
    for relation in stale:
        connection.execute(sql.SQL("revoke select on {} from etl_owner").format(names.relation(relation)))


def _lacking(connection: psycopg.Connection, feeds: Mapping[str, Contract]) -> Iterator[str]:
    """What the delta needs of a table and a new table of the same name may lack: `like` copies no trigger."""
    for feed in feeds.values():
        relation, cursor = feed.source.relation, feed.column(feed.cursor).origin
        is_table, is_indexed, is_touched = (
            connection.execute(_NEEDED, [cursor, regclass_of(relation)]).fetchone() or (False,) * 3
        )
        if is_table and not is_indexed:
            yield f"{relation} has no index that begins with {cursor}, so each load reads all of it; create one"
        if is_table and not is_touched:
            yield (
                f"{relation} has no trigger that runs before update of each row, so who changes a row and leaves "
                f"{cursor} alone is not noticed; create one that sets {cursor}"
            )


def source_types(connection: psycopg.Connection, feed: Contract) -> dict[str, str]:
    """Columns of a feed's relation and their types.

    Raises:
        ConfigError: when there is no such relation.
    """
    found: dict[str, str] = dict(connection.execute(_COLUMNS, [regclass_of(feed.source.relation)]).fetchall())
    if not found:
        raise ConfigError(f"contract {feed.table}: there is no {feed.source.relation} in {feed.source.system}")
    return found


def view_script(feed: Contract, types: Mapping[str, str]) -> sql.Composed:
    """The statements that make a feed's view and give each role what it needs, and no more.

    Args:
        feed: its contract.
        types: columns of the source relation, by name.

    Raises:
        ConfigError: when a column is not there, or of another type than the contract says.
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
    if column.transform == "is_email_valid":
        return sql.SQL(_VALID).format(column=name)
    if column.transform == "text_length":
        return sql.SQL(_LENGTH).format(column=name)
    domain, normal = _HASHED[column.transform]
    return sql.SQL(_HMAC).format(domain=sql.Literal(domain), value=sql.SQL(normal).format(column=name))


def _as_is(feed: Contract, column: Column, found: str) -> sql.Composable:
    name = identifier(column.origin)
    if found == column.type:
        return name
    if (found, column.type) == ("timestamp without time zone", "timestamp with time zone"):
        return sql.SQL("{} at time zone 'UTC'").format(name)  # naive times are UTC (domain.md section 2.3)
    raise ConfigError(
        f"contract {feed.table}: {column.origin} of {feed.source.relation} is {found}, the contract says {column.type}"
    )
