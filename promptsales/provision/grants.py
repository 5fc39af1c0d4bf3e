"""Find and revoke what roles may read and no file names any more."""

from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import args_row

from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import Database
from promptsales.provision.publications import DATABASES, ROLES
from promptsales.specs.feed import contracts
from promptsales.specs.stream import stream_contracts

_GRANTED = (Path(__file__).parent / "sql" / "granted.sql").read_bytes()


class Granted(NamedTuple):
    """A relation of which a role may select something."""

    schema: str
    name: str
    relkind: str


def read_granted(connection: psycopg.Connection, role: str) -> list[Granted]:
    """Return the relations that their owner lets a role read, at least in part."""
    with connection.cursor(row_factory=args_row(Granted)) as cursor:
        return cursor.execute(_GRANTED, {"role": role}).fetchall()


def revoke(connection: psycopg.Connection, role: str, relation: Granted) -> str:
    """Revoke a role's right to read a relation, in the caller's transaction, and return what was done."""
    name = sql.Identifier(relation.schema, relation.name)
    connection.execute(sql.SQL("revoke select on {} from {}").format(name, sql.Identifier(role)))
    return f"{relation.schema}.{relation.name}: revoked from {role}, as no file names it"


def revoke_left_over(connection: psycopg.Connection, database: Database) -> list[ProvisionChange]:
    """Revoke grants on tables of removed contracts and on replaced tables, in the caller's transaction.

    Only roles whose grants all come from contracts are looked at: not `etl_reader`, to which a source where nothing may
    be created grants by hand.
    """
    return [
        ProvisionChange(system=database, what=revoke(connection, role, granted))
        for role, relations in _read_by(database).items()
        for granted in read_granted(connection, role)
        if f"{granted.schema}.{granted.name}" not in relations
    ]


def _read_by(database: Database) -> dict[str, set[str]]:
    """Return the relations of a source that contracts let each role read."""
    viewed = {feed.source.relation for feed in contracts().values() if feed.source.system == database}
    streamed = {
        table.source.relation for table in stream_contracts().values() if DATABASES[table.source.system] == database
    }
    return {"etl_owner": viewed} | dict.fromkeys(ROLES, streamed)
