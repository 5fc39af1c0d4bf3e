"""All errors of the pipeline.

PipelineError
|-- TransientError            the same call may succeed later: an orchestrator retries it
`-- TerminalError             the same call fails again until somebody acts: never retried
    |-- ConfigError           a setting, contract or file is not valid
    |-- SourceRefused         reading the source could lose rows or expose clear text
    |-- Fenced                a newer run of the same feed has taken over
    `-- BatchBlocked          a check of the whole batch failed: nothing was published

A message is lower case and says what failed, the value found, what was expected and what to do. It never holds a
personal value.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from promptsales.printable import printable


class PipelineError(Exception):
    """Base of all errors that the pipeline raises on purpose; the text is one printable line."""

    def __str__(self) -> str:
        return printable(super().__str__())


class TransientError(PipelineError):
    """The same call may succeed later."""


class TerminalError(PipelineError):
    """The same call fails again until somebody acts."""


class ConfigError(TerminalError):
    """A setting, contract or file is not valid."""


class SourceRefused(TerminalError):
    """Reading the source could lose rows or expose clear text."""


class Fenced(TerminalError):
    """A newer run of the same feed has taken over."""


class BatchBlocked(TerminalError):
    """A check of the whole batch failed; nothing was published."""


# SQLSTATE classes in which a retry may succeed: connection, rollback, resources, locks, intervention
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "55", "57"})
# exceptions, which a retry cannot fix: protocol, deferred constraint, a configured limit, wrong state, dropped
_TERMINAL_STATES = frozenset({"08P01", "40002", "53400", "55000", "55P02", "55P04", "57P04"})
# the server ended a session that was idle in a transaction and rolled it back, so another session may do the work
_TRANSIENT_STATES = frozenset({"25P03", "25P04"})
# psycopg's sqlstate is None when a connection fails, as libpq hides the code (PQresultErrorField needs a result). So
# only libpq's text, and whether the server asked for a password, distinguish a refused login from an unreachable server
_LOGIN_REFUSED = re.compile(
    "authentication failed|does not exist|pg_hba.conf|not permitted to log in|no password supplied|permission denied"
)
# "FATAL:  text" is the server's answer, in the language of its lc_messages; after the password it is a refused login
_ANSWER = re.compile(r"failed: \w+:  ")
# except these, which a server may answer after the password and which pass
_NOT_NOW = re.compile("too many|slots are reserved|starting up|shutting down|recovery|terminating")
# class 54, such as a value too long for an index: psycopg calls it operational, but a retry cannot fix it
DRIVER_LIMIT = (
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.TooManyColumns,
    psycopg.errors.TooManyArguments,
)
# errors that the values of a row can cause
ROW_REFUSED = (psycopg.DataError, psycopg.IntegrityError, *DRIVER_LIMIT)
# errors whose text names a missing or denied object; the texts of others may quote a value
_NAMES_ONLY = (
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
)


def is_transient(error: psycopg.Error) -> bool:
    """Return whether a retry may succeed, by SQLSTATE; without one, only after a failed or lost connection."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError) and not is_login_refused(error)
    return is_transient_state(error.sqlstate)


def is_transient_state(state: str) -> bool:
    """Return whether a retry may succeed, by SQLSTATE."""
    return state in _TRANSIENT_STATES or (state[:2] in _TRANSIENT_CLASSES and state not in _TERMINAL_STATES)


def is_login_refused(error: psycopg.Error) -> bool:
    """Return whether a server answered and refused the role, its password or the database."""
    if error.sqlstate is not None:
        return error.sqlstate[:2] == "28" or error.sqlstate == "3D000"
    text, server = str(error), error.pgconn
    if not isinstance(error, psycopg.OperationalError) or _NOT_NOW.search(text):
        return False
    has_asked = server is not None and bool(server.needs_password or (server.used_password and _ANSWER.search(text)))
    return has_asked or bool(_LOGIN_REFUSED.search(text))


@contextmanager
def driver_errors(what: str) -> Iterator[None]:
    """Translate psycopg's errors into ours, by class and SQLSTATE only: their texts may quote a row.

    Args:
        what: the work that failed, for the message: ``"extract leads"``.

    Raises:
        TransientError: on a failed or lost connection, deadlock, serialisation failure, lock timeout or full server.
        TerminalError: on every other error of the driver.
    """
    try:
        yield
    except psycopg.Error as error:
        if is_transient(error):
            raise TransientError(f"{what}: {describe(error)}; a retry may succeed") from None
        raise TerminalError(f"{what}: {describe(error)}") from None


def describe(error: psycopg.Error) -> str:
    """Return an error of psycopg by class, SQLSTATE and names; its own text may quote a row."""
    return f"{type(error).__name__}, sqlstate {error.sqlstate or f'none: {_without_state(error)}'}{_details(error)}"


def _without_state(error: psycopg.Error) -> str:
    if not isinstance(error, psycopg.OperationalError):
        return "the driver refuses the call"
    failure = "login refused" if is_login_refused(error) else "connection refused or lost"
    server = error.pgconn
    return f"{failure} at {server.host.decode()}:{server.port.decode()}" if server and server.host else failure


def _details(error: psycopg.Error) -> str:
    """Return the names that PostgreSQL gives with an error: unlike values, they are not personal."""
    diag = error.diag
    names = {"table": diag.table_name, "column": diag.column_name, "constraint": diag.constraint_name}
    details = [f"{kind} {name}" for kind, name in names.items() if name]
    if isinstance(error, _NAMES_ONLY) and diag.message_primary:
        details.append(diag.message_primary)
    if isinstance(error, psycopg.errors.QueryCanceled):
        details.append("by hand, or after PROMPTSALES_WORK_TIMEOUT_MINUTES or PROMPTSALES_LOOK_TIMEOUT_MINUTES")
    if diag.statement_position:
        details.append(f"character {diag.statement_position} of the statement")
    return f" ({', '.join(details)})" if details else ""
