"""Load the hashing key into a source as the two pads of HMAC."""

import hmac
from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.errors import ConfigError, driver_errors
from promptsales.hashing.keys import compute_pads
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.planted import refuse_planted


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
    """Load the pads that a source database lacks, in the caller's transaction; the first one becomes active.

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
    missing = sorted(keys.keys() - existing.keys())
    if missing:
        copy = "copy etl.pii_pad (kid, is_active, inner_pad, outer_pad) from stdin (format binary)"
        with connection.cursor() as cursor, cursor.copy(copy) as rows:
            rows.set_types(["int4", "bool", "bytea", "bytea"])
            for kid in missing:
                rows.write_row((kid, not existing and kid == missing[-1], *compute_pads(keys[kid])))
    return [ProvisionChange(system=database, what=f"hashing key {kid} loaded") for kid in missing]
