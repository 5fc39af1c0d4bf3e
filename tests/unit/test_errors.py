"""psycopg's errors become transient or terminal errors of ours, without the values in their texts."""

import psycopg
import pytest

from promptsales.errors import TerminalError, TransientError, driver_errors


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("server closed the connection"), TransientError),
        (psycopg.errors.DeadlockDetected(), TransientError),
        (psycopg.errors.LockNotAvailable(), TransientError),
        (psycopg.errors.AdminShutdown(), TransientError),
        (psycopg.errors.DiskFull(), TransientError),
        (psycopg.errors.UniqueViolation("key (email)=(ann@example.com) already exists"), TerminalError),
        (psycopg.errors.InsufficientPrivilege(), TerminalError),
        (psycopg.errors.UndefinedColumn(), TerminalError),
        (psycopg.errors.ProgramLimitExceeded("an index row of ann@example.com is too long"), TerminalError),
        (psycopg.errors.StatementTooComplex(), TerminalError),
        (psycopg.DataError("can't dump ann@example.com"), TerminalError),
        (psycopg.ProgrammingError("only '%s' are allowed as placeholders, got ann@example.com"), TerminalError),
        (
            psycopg.OperationalError('connection failed: FATAL:  password authentication failed for user "x"'),
            TerminalError,
        ),
        (
            psycopg.OperationalError('connection failed: FATAL:  database "ann@example.com" does not exist'),
            TerminalError,
        ),
        (psycopg.OperationalError("connection failed: FATAL:  the database system is starting up"), TransientError),
        (psycopg.OperationalError("connection failed: Connection refused"), TransientError),
        (psycopg.errors.TooManyConnections(), TransientError),
        (psycopg.errors.ConfigurationLimitExceeded(), TerminalError),
        (psycopg.errors.ObjectNotInPrerequisiteState(), TerminalError),
        (psycopg.errors.ObjectInUse(), TransientError),
        (psycopg.errors.QueryCanceled(), TransientError),
        (psycopg.errors.DatabaseDropped(), TerminalError),
        (psycopg.errors.ProtocolViolation(), TerminalError),
        (psycopg.errors.IdleInTransactionSessionTimeout(), TransientError),
        (psycopg.errors.ReadOnlySqlTransaction(), TerminalError),
        (psycopg.errors.SyntaxError('syntax error at or near "ann@example.com"'), TerminalError),
        (psycopg.errors.InvalidTextRepresentation("invalid input: ann@example.com"), TerminalError),
        (psycopg.errors.InternalError_(), TerminalError),
    ],
)
def test_driver_errors(error: psycopg.Error, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, driver_errors("load things"):
        raise error
    assert str(caught.value).startswith(f"load things: {type(error).__name__}")
    assert "ann@example.com" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "connection lost" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (psycopg.ProgrammingError("got 'ann'"), TerminalError, "load: ProgrammingError, sqlstate none: the driver"),
        (psycopg.OperationalError("closed"), TransientError, "load: OperationalError, sqlstate none: connection ref"),
    ],
)
def test_only_a_connection_error_without_sqlstate_speaks_of_the_connection(
    error: psycopg.Error, expected: type[Exception], message: str
) -> None:
    with pytest.raises(expected, match=f"^{message}"), driver_errors("load"):
        raise error
