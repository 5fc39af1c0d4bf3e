"""Translate the error of a PostgreSQL session that could not be opened; the driver's text may quote the address."""

import psycopg

from promptsales.errors import ConfigError, PipelineError, TerminalError, TransientError, is_login_refused
from promptsales.failures.reach import Server, why_silent

# what libpq's text says the server refuses, in the order in which it is looked for; an answer in another language has
# none of them
_REFUSALS = {
    "password authentication failed": "the password, or does not know the user",
    "no password supplied": "a login without a password",
    "pg_hba.conf": "the user, the database or this machine (pg_hba.conf)",
    "not permitted to log in": "the user, who may not log in",
    "permission denied": "the user, who may not connect to the database",
    "does not exist": "the user or the database, which does not exist",
}


def connection_failure(name: str, server: Server, database: str, error: psycopg.Error) -> PipelineError:
    """Return our error for a session that could not be opened.

    Args:
        name: the connection, for the message.
        server: the server that was called.
        database: the database that was asked for.
        error: the driver's error.
    """
    what = f"connection {name}"
    if is_login_refused(error):
        refused = next((text for words, text in _REFUSALS.items() if words in str(error)), "the user or its password")
        return ConfigError(
            f"{what}: the server at {server}, database {database}, refuses {refused}; "
            f"{server.correct('user, password or database')}"
        )
    if isinstance(error, psycopg.OperationalError):
        return TransientError(f"{what}: {why_silent(server)}")
    return TerminalError(f"{what}: the driver refuses the address of {server}; {server.correct('it')}")
