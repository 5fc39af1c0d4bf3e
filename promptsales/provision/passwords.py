"""Passwords as PostgreSQL keeps them: SCRAM verifiers (RFC 5802), so that no statement and no log holds one."""

import base64
import hashlib
import hmac
import re

import psycopg

_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def verifier(connection: psycopg.Connection, role: str, password: str) -> str:
    """What PostgreSQL shall keep of a role's password."""
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()


def fits(kept: str | None, password: str) -> bool:
    """Whether a password opens what PostgreSQL keeps; asks nobody and tries no login.

    Args:
        kept: ``rolpassword`` of ``pg_authid``.
        password: ASCII, as `Secrets` makes them: others would have to be normalised first.
    """
    parts = _VERIFIER.fullmatch(kept or "")
    if parts is None:
        return False
    rounds, salt, stored_key, _ = parts.groups()
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), base64.b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), base64.b64decode(stored_key))
