"""Close the schema ``public``: an object there could take the place of one that somebody else's statement names."""

from pathlib import Path

import psycopg

from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import Database

_OPEN = (Path(__file__).parent / "sql" / "open_public.sql").read_bytes()


def close_public(connection: psycopg.Connection, database: Database) -> list[ProvisionChange]:
    """Revoke the right of everybody to create in ``public``, in the caller's transaction; grants to roles stay."""
    if not _is_open(connection):
        return []
    connection.execute("revoke create on schema public from public")
    if _is_open(connection):  # PostgreSQL only warns when the right is another role's gift
        what = (
            "schema public: everybody may still create objects there; run `revoke create on schema public from public` "
            "as the role that granted it (`\\dn+ public` in psql)"
        )
        return [ProvisionChange(system=database, what=what, is_warning=True)]
    return [ProvisionChange(system=database, what="schema public: create revoked from public")]


def _is_open(connection: psycopg.Connection) -> bool:
    return connection.execute(_OPEN).fetchone() == (True,)
