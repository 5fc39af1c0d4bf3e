"""Redis' errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis import exceptions

from promptsales.errors import ConfigError, TerminalError, TransientError

# the driver derives the first from its ConnectionError
_LOGIN = (exceptions.AuthenticationError, exceptions.AuthorizationError, exceptions.ExternalAuthProviderError)
# a server that loads its data, lost its master, is a replica since a failover, or has no memory at the moment
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


@contextmanager
def redis_errors(what: str, client: "redis.Redis | None" = None) -> Iterator[None]:
    """Sort the errors of Redis.

    Args:
        what: the work that was going on, for the message.
        client: the client that is used, which knows host and port.

    Raises:
        TransientError: when it cannot be reached, or the same call may succeed later.
        ConfigError: when it refuses the login or the number of the database.
        TerminalError: when it refuses anything else.
    """
    try:
        yield
    except redis.RedisError as error:
        raise redis_failure(what, error, client) from None


def redis_failure(
    what: str, error: redis.RedisError, client: "redis.Redis | None" = None
) -> TransientError | TerminalError:
    """Return our error for one of Redis'."""
    at, name = _place(client), type(error).__name__
    if isinstance(error, _LOGIN):
        return ConfigError(f"{what}: redis{at}: {name}: login refused; correct user and password in its address")
    if isinstance(error, exceptions.NoPermissionError):
        return TerminalError(f"{what}: redis{at}: {name}: the user has no right to this; grant it by ACL SETUSER")
    if isinstance(error, _LATER):
        return TransientError(f"{what}: redis{at}: {name}; it is tried again")
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return TransientError(
            f"{what}: redis does not answer{at}: {name}; it is tried again; if it stays so, check host and port in its "
            "address"
        )
    return TerminalError(f"{what}: redis{at}: {name}; check that a Redis of version 7 answers there, and its database")


def _place(client: "redis.Redis | None") -> str:
    where = client.connection_pool.connection_kwargs if client else {}
    return f" at {where['host']}:{where.get('port', 6379)}" if where.get("host") else ""
