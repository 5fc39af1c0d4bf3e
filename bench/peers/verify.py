"""Compare a target with the source by one query on each side, which no tool had a part in."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import psycopg

from bench.peers.methods import PERSONAL, Hashing, Method
from promptsales.hashing.keys import compute_pads

QUERY = (Path(__file__).parent / "digest.sql").read_text(encoding="utf-8")
NEWEST = """select to_char(max(updated_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from {relation}"""
CLEAR = "select count(*) filter (where email like '%@%'), count(*) from {relation}"
UNHASHED = "select count(*) from core.leads where {lengths}"
HEX = {
    "clear": "{0}::text",
    "md5": "md5({0})",
    "sha256": "encode(sha256(convert_to({0}, 'UTF8')), 'hex')",
    "hmac": "encode(sha256(decode('{outer}', 'hex') || sha256(decode('{inner}', 'hex') || "
    "convert_to({0}, 'UTF8'))), 'hex')",
}


class Digest(NamedTuple):
    """The content of a table: rows, newest change, sums over the shared and over the personal columns."""

    rows: int
    newest: datetime | None
    shared: Decimal | None
    personal: Decimal | None


def read(connection: psycopg.Connection, relation: str, expressions: dict[str, str]) -> Digest:
    """Return the digest of a table; ``expressions`` are the SQL of the personal columns."""
    connection.execute("set timezone to 'UTC'")
    row = connection.execute(QUERY.format(relation=relation, **expressions).encode()).fetchone()
    return Digest(*row) if row else Digest(0, None, None, None)


def expected(connection: psycopg.Connection, hashing: Hashing, key: str) -> Digest:
    """Return what a target must hold, from the source's table itself; our own hashes are not part of it."""
    return read(connection, "crm.leads", {name: source_expression(name, hashing, key) for name in PERSONAL})


def source_expression(name: str, hashing: Hashing, key: str) -> str:
    """Return the SQL that computes a personal column as the target must have it."""
    if hashing == "ours":
        return "null::text"
    inner, outer = (pad.hex() for pad in compute_pads(key.encode()))
    return HEX[hashing].format(name, inner=inner, outer=outer)


def difference(connection: psycopg.Connection, method: Method, wanted: Digest) -> str:
    """Return how a method's target differs from the source, empty if it does not."""
    personal = {name: "null::text" if method.hashing == "ours" else f"{name}::text" for name in PERSONAL}
    try:
        loaded = read(connection, method.relation, personal)
    except psycopg.errors.UndefinedColumn as error:
        return f"the target has no such column: {error.diag.message_primary}"
    if loaded.rows != wanted.rows:
        return f"{loaded.rows:,} rows, the source has {wanted.rows:,}"
    if loaded.newest != wanted.newest:
        return f"the newest row is from {loaded.newest}, the source's from {wanted.newest}"
    if loaded.shared != wanted.shared:
        return "the rows differ from the source's"
    return hash_difference(connection, method) if loaded.personal == wanted.personal else (
        "the personal columns are not what was asked for: " + describe_personal(connection, method)
    )  # fmt: skip


def hash_difference(connection: psycopg.Connection, method: Method) -> str:
    """Return how many of our rows have no hash of 32 bytes."""
    if method.hashing != "ours":
        return ""
    lengths = " or ".join(f"octet_length({name}_hmac) is distinct from 32" for name in PERSONAL)
    row = connection.execute(UNHASHED.format(lengths=lengths).encode()).fetchone()
    return f"{row[0]:,} rows have no hash" if row and row[0] else ""


def describe_personal(connection: psycopg.Connection, method: Method) -> str:
    """Return how many rows hold an e-mail address in clear text."""
    row = connection.execute(CLEAR.format(relation=method.relation).encode()).fetchone() or (0, 0)
    return f"{row[0]:,} of {row[1]:,} rows have the e-mail address in clear text"


def newest(connection: psycopg.Connection, method: Method) -> str:
    """Return the time of the newest change in a method's target."""
    row = connection.execute(NEWEST.format(relation=method.relation).encode()).fetchone()
    return str(row[0]) if row else ""
