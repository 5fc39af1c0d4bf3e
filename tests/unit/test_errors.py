"""The driver's errors become ours, marked, and lose their values on the way."""

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
    ],
)
def test_driver_errors(error: psycopg.Error, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, driver_errors("load things"):
        raise error
    assert str(caught.value).startswith(f"load things: {type(error).__name__}")
    assert "ann@example.com" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
