"""The key of all hashes: key files checked, and loaded into a source as the two pads of HMAC (RFC 2104)."""

import hmac
import re
from collections.abc import Mapping
from pathlib import Path

import psycopg

from promptsales.errors import ConfigError, driver_errors
from promptsales.provision.changes import Change
from promptsales.secrets import KEY_BYTES, Secrets

_BLOCK = 64  # bytes SHA-256 works on
_FILE = re.compile(r"pii_key_([1-9][0-9]*)")


def read_keys(folder: Path) -> dict[int, bytes]:
    """Every key file of a folder, by number, checked.

    Raises:
        ConfigError: for a key that is weak or that others may read; the message holds no part of it.
    """
    names = (path.name for path in folder.glob("pii_key_*"))
    found = {int(match[1]): match[0] for name in names if (match := _FILE.fullmatch(name))}
    return {kid: checked(found[kid], Secrets(folder).password(found[kid])) for kid in sorted(found)}


def checked(name: str, text: str) -> bytes:
    """A key's bytes, from its file's text.

    Raises:
        ConfigError: when the text is no hex, too short, or the same byte over and over.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise ConfigError(f"secret {name} is no key: {KEY_BYTES} bytes as hex digits are expected") from None
    if not KEY_BYTES <= len(key) <= _BLOCK:
        raise ConfigError(f"secret {name} has {len(key)} bytes: {KEY_BYTES} to {_BLOCK} are expected")
    if len(set(key)) == 1:
        raise ConfigError(f"secret {name} is one byte over and over: make it of {KEY_BYTES} random bytes")
    return key


def pads(key: bytes) -> tuple[bytes, bytes]:
    """Inner and outer pad of a key."""
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


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
        if not all(map(hmac.compare_digest, there[kid], pads(keys[kid]))):
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
                rows.write_row((kid, not there and kid == missing[-1], *pads(keys[kid])))
    return [Change(system=database, what=f"hashing key {kid} loaded") for kid in missing]
