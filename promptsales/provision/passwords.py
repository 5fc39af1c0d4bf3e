"""Make and check SCRAM verifiers (RFC 5802), so that statements and logs contain no password."""

import base64
import hashlib
import hmac
import re

import psycopg

_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def make_verifier(connection: psycopg.Connection, role: str, password: str) -> str:
    """Return the verifier that PostgreSQL stores for a role's password."""
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()


def fits(stored: str | None, password: str) -> bool:
    """Return whether a password fits a stored verifier, without a login.

    Args:
        stored: ``rolpassword`` of ``pg_authid``.
        password: the password in ASCII, as `Secrets` creates them; others would need SASLprep.
    """
    parts = _VERIFIER.fullmatch(stored or "")
    if parts is None:
        return False
    rounds, salt, stored_key, _ = parts.groups()
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), base64.b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), base64.b64decode(stored_key))
