"""Settings of roles and databases that none of our sessions may inherit."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from promptsales.settings import Settings
from promptsales.targets import InternalName, PublicName

SETTINGS = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "America/New_York",
    "array_nulls": "off",
    "backslash_quote": "off",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "extra_float_digits": "-15",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "lc_monetary": "C.utf8",
    "lock_timeout": "1ms",
    "quote_all_identifiers": "on",
    "search_path": "nowhere",
    "standard_conforming_strings": "off",
    "statement_timeout": "1ms",
    "synchronous_commit": "off",
    "transaction_timeout": "1ms",
    "transform_null_equals": "on",
    "xmlbinary": "hex",
    "xmloption": "document",
}
ROLES: dict[PublicName | InternalName, tuple[tuple[str, str], ...]] = {
    "sources_admin": (
        *(
            (role, "promptsales")
            for role in ("etl_reader", "etl_audit", "cdc", "promptads_owner", "promptsales_owner", "postgres")
        ),
        *((role, "promptcrm") for role in ("etl_reader", "etl_audit", "cdc", "promptcrm_owner", "postgres")),
    ),
    "warehouse_admin": tuple((role, "warehouse") for role in ("warehouse_loader", "bi", "postgres")),
}
# the settings that a database has before
_SETTINGS = """
    select split_part(entry, '=', 1), substring(entry from position('=' in entry) + 1)
    from pg_db_role_setting s cross join unnest(setconfig) entry join pg_database d on d.oid = setdatabase
    where datname = %s and setrole = 0
"""


@contextmanager
def foreign_settings(stack: Settings, kind: str) -> Iterator[None]:
    """Apply the settings to every role in its databases, or to every database; undo that afterwards."""
    with ExitStack() as afterwards:
        for name, roles in ROLES.items():
            address = make_conninfo(stack.address(name), dbname="postgres")
            admin = afterwards.enter_context(psycopg.connect(address, autocommit=True))
            for role, database in (
                roles if kind == "role" else dict.fromkeys((None, database_name) for _, database_name in roles)
            ):
                before: dict[str, str] = dict(admin.execute(_SETTINGS, [database]).fetchall()) if role is None else {}
                afterwards.callback(_restore, admin, role, database, before)
                _set(admin, role, database, SETTINGS)
        yield


def _whose(role: str | None, database: str) -> sql.Composed:
    where = sql.SQL("database {}").format(sql.Identifier(database))
    return sql.SQL("role {} in {}").format(sql.Identifier(role), where) if role else where


def _set(admin: psycopg.Connection, role: str | None, database: str, settings: Mapping[str, str]) -> None:
    for setting, value in settings.items():
        quoted = sql.SQL(value) if setting in ("DateStyle", "search_path") else sql.Literal(value)
        parts = (_whose(role, database), sql.Identifier(setting), quoted)
        admin.execute(sql.SQL("alter {} set {} to {}").format(*parts))


def _restore(admin: psycopg.Connection, role: str | None, database: str, before: Mapping[str, str]) -> None:
    admin.execute(sql.SQL("alter {} reset all").format(_whose(role, database)))
    _set(admin, role, database, before)
