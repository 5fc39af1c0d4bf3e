"""Translate the errors of Redis."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis import exceptions

from promptsales.errors import ConfigError, TerminalError, TransientError
from promptsales.failures.reach import Server, why_silent

# the driver derives the first from its ConnectionError, so check these first
_LOGIN = (exceptions.AuthenticationError, exceptions.AuthorizationError, exceptions.ExternalAuthProviderError)
# a server that is loading its data, has lost its master, became a replica, or is out of memory
_LATER = (
    exceptions.BusyLoadingError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.WatchError,
    exceptions.LockError,
)

# a process of Airflow has the address from its connection, every other one from the setting
_WHERE = "PROMPTSALES_DSN__REDIS (in Airflow: the connection redis)"


@contextmanager
def redis_errors(what: str, client: "redis.Redis | None" = None) -> Iterator[None]:
    """Translate the errors of Redis.

    Args:
        what: the work that failed, for the message.
        client: the client that was used; gives host and port.

    Raises:
        TransientError: when the server does not answer, or a retry may succeed.
        ConfigError: when the server refuses the login.
        TerminalError: when the server refuses anything else.
    """
    try:
        yield
    except redis.RedisError as error:
        raise redis_failure(what, error, client) from None


def redis_failure(
    what: str, error: redis.RedisError, client: "redis.Redis | None" = None
) -> TransientError | TerminalError:
    """Return our error for an error of Redis."""
    server, name = _server(client), type(error).__name__
    at = f" at {server}" if server else ""
    if isinstance(error, _LOGIN):
        todo = f"correct user and password in {_WHERE}"
        return ConfigError(f"{what}: redis{at}: {name}: the server refuses the user or its password; {todo}")
    if isinstance(error, exceptions.NoPermissionError):
        return TerminalError(f"{what}: redis{at}: {name}: the user lacks the permission; grant it with ACL SETUSER")
    if isinstance(error, _LATER):
        return TransientError(f"{what}: redis{at}: {name}; a retry may succeed")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        why = why_silent(server) if server else f"check host and port in {_WHERE}, or retry later"
        return TransientError(f"{what}: redis{at}: {name}: {why}")
    return TerminalError(
        f"{what}: redis{at}: {name}; check that the server is Redis 6.2 or newer, and the database in its address"
    )


def _server(client: "redis.Redis | None") -> Server | None:
    parameters = client.connection_pool.connection_kwargs if client else {}
    if not parameters.get("host"):
        return None
    port = int(parameters.get("port") or 6379)
    return Server("Redis", f"{parameters['host']}:{port}", port, parameters.get("username") or "default", _WHERE)
