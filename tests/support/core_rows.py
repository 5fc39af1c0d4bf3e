"""Insert rows of core: columns that a test does not name have defaults, ids are short names, histories follow."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

_COLUMNS = """
select a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
from pg_attribute a where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped and not a.atthasdef
order by a.attnum
"""
_DEFAULTS = {"uuid": str(uuid.UUID(int=1)), "boolean": False, "timestamp with time zone": "2024-01-01T00:00:00Z"}


def uid(name: str | None) -> str | None:
    """Return the id of a short name; an id is returned unchanged."""
    if name is None:
        return None
    try:
        return str(uuid.UUID(name))
    except ValueError:
        return str(uuid.UUID(bytes=hashlib.md5(name.encode(), usedforsecurity=False).digest()))


def put(admin: psycopg.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows into a table of core, and their first versions if it has a history."""
    columns = admin.execute(_COLUMNS, [table]).fetchall()
    assert columns, f"there is no table {table}"
    for row in rows:
        if find_unexpected_keys := row.keys() - {name for name, _, _ in columns}:
            raise AssertionError(f"{table} has no column {', '.join(sorted(find_unexpected_keys))}")
        values = {name: _value(row, name, kind, needed) for name, kind, needed in columns}
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder(name) for name in values),
        )
        admin.execute(statement, values)


def put_versions(admin: psycopg.Connection, table: str) -> None:
    """Insert one version, valid since always, for each row that has none."""
    columns = [name for name, _, _ in admin.execute(_COLUMNS, [f"{table}_history"])]
    key, *listed = [name for name in columns if name not in ("valid_from", "valid_to")]
    admin.execute(
        sql.SQL("""
            insert into {history} ({names}, valid_from, valid_to) select {names}, '-infinity', 'infinity' from {table} t
            where not exists (select from {history} h where h.{key} = t.{key})
        """).format(
            history=sql.Identifier(*f"{table}_history".split(".")),
            table=sql.Identifier(*table.split(".")),
            key=sql.Identifier(key),
            names=sql.SQL(", ").join(map(sql.Identifier, (key, *listed))),
        )
    )


def _value(row: Mapping[str, Any], name: str, kind: str, needed: bool) -> Any:
    if name in row:
        return uid(row[name]) if kind == "uuid" else row[name]
    if name == "_loaded_at":
        return "2024-01-01T00:00:00Z"
    if not needed:
        return None
    if kind in _DEFAULTS:
        return _DEFAULTS[kind]
    return "USD" if name == "currency_code" else "x" if kind.startswith(("character", "text")) else 0
