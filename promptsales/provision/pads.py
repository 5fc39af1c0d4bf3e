"""The key of all hashes, loaded into a source as the two pads of HMAC."""

import hmac
from collections.abc import Mapping

import psycopg

from promptsales.errors import ConfigError, driver_errors
from promptsales.hashing.keys import compute_pads
from promptsales.provision.changes import Change


def has_pads(connection: psycopg.Connection) -> bool:
    """Whether this database hashes already."""
    with driver_errors("read the hashing keys"):
        if connection.execute("select to_regclass('etl.pii_pad')").fetchone() == (None,):
            return False
        return connection.execute("select from etl.pii_pad limit 1").fetchone() is not None


def load_pads(connection: psycopg.Connection, database: str, keys: Mapping[int, bytes]) -> list[Change]:
    """Load the pads a source database does not have yet, in the caller's transaction; the first becomes active.

    They go in by binary COPY: a parameter would stand in the server's log, as a line of a text COPY that fails does.

    Raises:
        ConfigError: when a pad there was made of another key than the file of its number.
    """
    there = {
        kid: (inner, outer)
        for kid, inner, outer in connection.execute("select kid, inner_pad, outer_pad from etl.pii_pad")
    }
    for kid in there.keys() & keys.keys():
        if not all(map(hmac.compare_digest, there[kid], compute_pads(keys[kid]))):
            raise ConfigError(
                f"secret pii_key_{kid} is not the key that database {database} hashes with: put the old file back; "
                "a new key gets a new number, as hashes of two keys cannot be told apart"
            )
    missing = sorted(keys.keys() - there.keys())
    if missing:
        copy = "copy etl.pii_pad (kid, is_active, inner_pad, outer_pad) from stdin (format binary)"
        with connection.cursor() as cursor, cursor.copy(copy) as rows:
            rows.set_types(["int4", "bool", "bytea", "bytea"])
            for kid in missing:
                rows.write_row((kid, not there and kid == missing[-1], *compute_pads(keys[kid])))
    return [Change(system=database, what=f"hashing key {kid} loaded") for kid in missing]
