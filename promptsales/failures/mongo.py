"""Translate the errors of MongoDB."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import ConfigurationError, ConnectionFailure, PyMongoError

from promptsales.errors import ConfigError, TerminalError, TransientError
from promptsales.failures.reach import Server, why_silent

# AuthenticationFailed, UserNotFound, AtlasError
_LOGIN = frozenset({18, 11, 8000})
_UNAUTHORIZED = 13
_LABELS = ("TransientTransactionError", "RetryableWriteError", "ResumableChangeStreamError")
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml: network, not primary, shutdown and
# interruption by it, locks and conflicts, a limit of time
_LATER = frozenset({
    *(6, 7, 24, 46, 50, 63, 64, 89, 91, 112, 133, 134, 150, 189, 202, 225, 234, 262, 317, 358, 384, 402),
    *(9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436),
})  # fmt: skip


@contextmanager
def mongo_errors(what: str, server: Server | None = None) -> Iterator[None]:
    """Translate the errors of MongoDB.

    Args:
        what: the work that failed, for the message.
        server: the server that was called, if known.

    Raises:
        TransientError: when no server answers, or a retry may succeed.
        ConfigError: when the server refuses the login, or the driver the address.
        TerminalError: when the server refuses anything else, or a document cannot be encoded or decoded.
    """
    try:
        yield
    except PyMongoError as error:
        raise mongo_failure(what, error, server) from None
    except BSONError as error:
        raise TerminalError(f"{what}: mongo: a document cannot be encoded or decoded: {type(error).__name__}") from None


def mongo_failure(what: str, error: PyMongoError, server: Server | None = None) -> TransientError | TerminalError:
    """Return our error for an error of MongoDB."""
    code = getattr(error, "code", None)
    message = f"{what}: mongo{f' at {server}' if server else ''}: {type(error).__name__}, code {code or 'none'}"
    if isinstance(error, ConnectionFailure):
        why = f": {why_silent(server)}" if server else "; the connection is lost; a retry may succeed"
        return TransientError(f"{message}{why}")
    if code in _LATER or any(map(error.has_error_label, _LABELS)) or _is_unresolved(error):
        return TransientError(f"{message}; a retry may succeed")
    if code in _LOGIN:
        todo = server.correct("user, password or authSource") if server else "correct them in its address"
        return ConfigError(f"{message}: the server refuses the user or its password; {todo}")
    if code == _UNAUTHORIZED:
        return TerminalError(f"{message}: the user lacks the permission; run `promptsales provision`, or grant it")
    if isinstance(error, ConfigurationError):
        return ConfigError(f"{message}: the driver refuses the address; correct it")
    return TerminalError(message)


def _is_unresolved(error: PyMongoError) -> bool:
    """Return whether the DNS lookup of a mongodb+srv address failed; the driver reports a ``ConfigurationError``."""
    return type(error.__cause__).__module__.startswith("dns.")
