"""Load the hashing key into a source as the two pads of HMAC."""

import hmac
import time
from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.errors import ConfigError, driver_errors
from promptsales.hashing.keys import compute_pads
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.planted import refuse_planted

# without an active key nobody can tell which key the hashes need
_OLD = """
    select kid from etl.pii_pad
    where is_active is not true and exists (select from etl.pii_pad where is_active) order by kid
"""

_DEAD = "select n_dead_tup from pg_stat_all_tables where relid = 'etl.pii_pad'::regclass and last_vacuum >= %s"


class _Pads(NamedTuple):
    """A key's pads in a source database."""

    kid: int
    inner_pad: bytes
    outer_pad: bytes


def has_pads(connection: psycopg.Connection) -> bool:
    """Return whether this database has a hashing key.

    Raises:
        ConfigError: when the schema of the keys is somebody else's.
    """
    refuse_planted(connection)
    with driver_errors("read the hashing keys"):
        if connection.execute("select to_regclass('etl.pii_pad')").fetchone() == (None,):
            return False
        return connection.execute("select from etl.pii_pad limit 1").fetchone() is not None


def load_pads(connection: psycopg.Connection, database: str, keys: Mapping[int, bytes]) -> list[ProvisionChange]:
    """Load the newest key as pads and make it active, unless the database has pads; the caller's transaction commits.

    This uses binary COPY, because the server may log parameters, and lines of a text COPY that fails.

    Raises:
        ConfigError: when the database has pads of another key under the same number.
    """
    query = "select kid, inner_pad, outer_pad from etl.pii_pad"
    with connection.cursor(row_factory=class_row(_Pads)) as pads:
        existing = {row.kid: (row.inner_pad, row.outer_pad) for row in pads.execute(query)}
    for kid in existing.keys() & keys.keys():
        if not all(map(hmac.compare_digest, existing[kid], compute_pads(keys[kid]))):
            raise ConfigError(
                f"secret pii_key_{kid} is not the key that database {database} hashes with; put the old file back; "
                "give a new key a new number, because hashes of two keys under one number cannot be told apart"
            )
    if existing or not keys:
        return []
    newest = max(keys)
    copy = "copy etl.pii_pad (kid, is_active, inner_pad, outer_pad) from stdin (format binary)"
    with connection.cursor() as cursor, cursor.copy(copy) as rows:
        rows.set_types(["int4", "bool", "bytea", "bytea"])
        rows.write_row((newest, True, *compute_pads(keys[newest])))
    return [ProvisionChange(system=database, what=f"hashing key {newest} loaded")]


def replace_pads(connection: psycopg.Connection, database: str, kid: int, key: bytes) -> None:
    """Replace the pads of every other key by those of one key, in the caller's transaction.

    Loads that began before it still see the old pads; see `wipe_old_pads`.

    Raises:
        ConfigError: when the database has pads of another key under the same number.
    """
    connection.execute("delete from etl.pii_pad where kid <> %s or is_active is not true", [kid])
    load_pads(connection, database, {kid: key})


def wipe_old_pads(connection: psycopg.Connection, database: str, dry_run: bool = False) -> list[ProvisionChange]:
    """Delete pads of keys that are not active, which earlier releases kept, and wipe them from the table's file.

    Args:
        connection: an administrator's connection to a source database, in autocommit.
        database: its name.
        dry_run: change nothing, and return what would be changed.
    """
    if connection.execute("select to_regclass('etl.pii_pad')").fetchone() == (None,):
        return []  # a dry run has created no table
    kids = [kid for (kid,) in connection.execute(_OLD)]
    if kids and not dry_run:
        connection.execute("delete from etl.pii_pad where kid = any(%s)", [kids])
    changes = [ProvisionChange(system=database, what=f"hashing key {kid} removed") for kid in kids]
    if (kids or _has_dead_pads(connection)) and not dry_run and not is_wiped(connection):
        what = "a removed hashing key stays in the table's file until a transaction ends; then provision again"
        changes.append(ProvisionChange(system=database, what=what, is_warning=True))
    return changes


def is_wiped(connection: psycopg.Connection) -> bool:
    """Write the table of pads into a new file; return False when an open transaction still needs deleted pads.

    A deleted row stays in its page, and a plain VACUUM does not overwrite it.
    """
    connection.execute("vacuum (full) etl.pii_pad")
    began = connection.execute("select clock_timestamp()").fetchone()
    connection.execute("vacuum etl.pii_pad")  # counts what remains
    for _ in range(50):  # PostgreSQL 14 reports the count within half a second, newer servers at once
        if row := connection.execute(_DEAD, began).fetchone():
            return bool(row[0] == 0)
        time.sleep(0.1)
    return False


def _has_dead_pads(connection: psycopg.Connection) -> bool:
    query = "select from pg_stat_all_tables where relid = 'etl.pii_pad'::regclass and n_dead_tup > 0"
    return connection.execute(query).fetchone() is not None
