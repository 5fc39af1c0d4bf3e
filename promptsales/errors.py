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

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


class PipelineError(Exception):
    """Base of every error the pipeline raises on purpose."""


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


# what the driver says when the same call may succeed later
DRIVER_TRANSIENT = (psycopg.OperationalError, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
# class 54: a value too long for an index, too deep for the stack. The driver calls it operational, but no waiting helps
DRIVER_LIMIT = (
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.TooManyColumns,
    psycopg.errors.TooManyArguments,
)
# what one row can be refused for: its values; anything else is no row's fault
ROW_REFUSED = (psycopg.DataError, psycopg.IntegrityError, *DRIVER_LIMIT)
_TERMINAL_OPERATIONAL = (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidPassword, *DRIVER_LIMIT)


@contextmanager
def driver_errors(what: str) -> Iterator[None]:
    """Turn the driver's errors into ours, by class and SQLSTATE only: their texts may quote a row.

    Args:
        what: the work that was going on, for the message: ``"extract leads"``.

    Raises:
        TransientError: on a lost connection, deadlock, serialisation failure, lock timeout or full server.
        TerminalError: on every other error of the driver.
    """
    try:
        yield
    except psycopg.Error as error:
        state = f"{type(error).__name__}, sqlstate {error.sqlstate or 'none: connection lost'}"
        where = _where(error)
        if isinstance(error, DRIVER_TRANSIENT) and not isinstance(error, _TERMINAL_OPERATIONAL):
            raise TransientError(f"{what}: {state}{where}; it is tried again") from None
        raise TerminalError(f"{what}: {state}{where}") from None


def _where(error: psycopg.Error) -> str:
    """The names PostgreSQL gives with an error; names are not values."""
    diag = error.diag
    named = {"table": diag.table_name, "column": diag.column_name, "constraint": diag.constraint_name}
    found = [f"{kind} {name}" for kind, name in named.items() if name]
    # an undefined column or table has its name in the text only; no row is quoted there
    if isinstance(error, psycopg.errors.SyntaxErrorOrAccessRuleViolation) and diag.message_primary:
        found.append(diag.message_primary)
    return f" ({', '.join(found)})" if found else ""
