"""All errors of the pipeline.

PipelineError
|-- TransientError            the same call may succeed later: an orchestrator retries it
`-- TerminalError             the same call fails again until somebody acts: never retried
    |-- ConfigError           a setting, contract or file says something that cannot be
    |-- SourceRefused         the source cannot be read without risking loss or clear text
    |-- Fenced                a newer run of the same feed has taken over
    `-- BatchBlocked          a check that guards the whole batch failed: nothing was published

Messages are lower case, name what was wrong, where, what was allowed and what to do, and never hold a personal value.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from promptsales.printable import printable


class PipelineError(Exception):
    """Base of every error the pipeline raises on purpose; its text is one printable line."""

    def __str__(self) -> str:
        return printable(super().__str__())


class TransientError(PipelineError):
    """The same call may succeed later."""


class TerminalError(PipelineError):
    """The same call fails again until somebody acts."""


class ConfigError(TerminalError):
    """A setting, contract or file says something that cannot be."""


class SourceRefused(TerminalError):
    """The source cannot be read without risking loss or clear text."""


class Fenced(TerminalError):
    """A newer run of the same feed has taken over."""


class BatchBlocked(TerminalError):
    """A check that guards the whole batch failed; nothing was published."""


# classes of SQLSTATE in which the same call may succeed later: connection, rollback, resources, locks, intervention
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "55", "57"})
# of these classes, what no waiting helps: protocol, deferred constraint, a configured limit, wrong state, dropped
_TERMINAL_STATES = frozenset({"08P01", "40002", "53400", "55000", "55P02", "55P04", "57P04"})
# the server ended a session that was idle in a transaction: its work is undone, another session may do it
_TRANSIENT_STATES = frozenset({"25P03", "25P04"})
# No code tells a refused login from a server that is away: libpq keeps the SQLSTATE of a connection that never came to
# be to itself (PQresultErrorField needs a result), so psycopg's sqlstate is None. What is left is libpq's text, and
# whether the server asked for a password
_LOGIN_REFUSED = re.compile(
    "authentication failed|does not exist|pg_hba.conf|not permitted to log in|no password supplied|permission denied"
)
# "FATAL:  text" is the server's answer, in the language of its lc_messages; after the password it refuses for good
_ANSWER = re.compile(r"failed: \w+:  ")
# but for these, which come after the password as well
_NOT_NOW = re.compile("too many|slots are reserved|starting up|shutting down|recovery|terminating")
# class 54: a value too long for an index, too deep for the stack. The driver calls it operational, but no waiting helps
DRIVER_LIMIT = (
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.TooManyColumns,
    psycopg.errors.TooManyArguments,
)
# what one row can be refused for: its values; anything else is no row's fault
ROW_REFUSED = (psycopg.DataError, psycopg.IntegrityError, *DRIVER_LIMIT)
# their texts name what is missing or denied; those of other errors may quote a value
_NAMES_ONLY = (
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.InsufficientPrivilege,
)


def is_transient(error: psycopg.Error) -> bool:
    """Return whether the same call may succeed later, by SQLSTATE; without one only a lost connection or none may."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError) and not is_login_refused(error)
    return is_transient_state(error.sqlstate)


def is_transient_state(state: str) -> bool:
    """Return whether PostgreSQL may accept the same call later, by its SQLSTATE."""
    return state in _TRANSIENT_STATES or (state[:2] in _TRANSIENT_CLASSES and state not in _TERMINAL_STATES)


def is_login_refused(error: psycopg.Error) -> bool:
    """Return whether a server answered and refuses the role, its password or the database."""
    if error.sqlstate is not None:
        return error.sqlstate[:2] == "28" or error.sqlstate == "3D000"
    text, state = str(error), error.pgconn
    if not isinstance(error, psycopg.OperationalError) or _NOT_NOW.search(text):
        return False
    has_asked = state is not None and bool(state.needs_password or (state.used_password and _ANSWER.search(text)))
    return has_asked or bool(_LOGIN_REFUSED.search(text))


@contextmanager
def driver_errors(what: str) -> Iterator[None]:
    """Turn the driver's errors into ours, by class and SQLSTATE only: their texts may quote a row.

    Args:
        what: the work that was going on, for the message: ``"extract leads"``.

    Raises:
        TransientError: on no or a lost connection, deadlock, serialisation failure, lock timeout or full server.
        TerminalError: on every other error of the driver.
    """
    try:
        yield
    except psycopg.Error as error:
        if is_transient(error):
            raise TransientError(f"{what}: {described(error)}; it is tried again") from None
        raise TerminalError(f"{what}: {described(error)}") from None


def described(error: psycopg.Error) -> str:
    """Return an error of the driver by its class, SQLSTATE and names; its text may quote a row."""
    return f"{type(error).__name__}, sqlstate {error.sqlstate or f'none: {_without_state(error)}'}{_where(error)}"


def _without_state(error: psycopg.Error) -> str:
    if not isinstance(error, psycopg.OperationalError):
        return "the driver refuses the call"
    what = "login refused" if is_login_refused(error) else "connection refused or lost"
    server = error.pgconn
    return f"{what} at {server.host.decode()}:{server.port.decode()}" if server and server.host else what


def _where(error: psycopg.Error) -> str:
    """The names PostgreSQL gives with an error; names are not values."""
    diag = error.diag
    named = {"table": diag.table_name, "column": diag.column_name, "constraint": diag.constraint_name}
    found = [f"{kind} {name}" for kind, name in named.items() if name]
    if isinstance(error, _NAMES_ONLY) and diag.message_primary:
        found.append(diag.message_primary)
    if isinstance(error, psycopg.errors.QueryCanceled):
        found.append("by hand, or after PROMPTSALES_WORK_TIMEOUT_MINUTES or PROMPTSALES_LOOK_TIMEOUT_MINUTES")
    if diag.statement_position:
        found.append(f"character {diag.statement_position} of the statement")
    return f" ({', '.join(found)})" if found else ""
