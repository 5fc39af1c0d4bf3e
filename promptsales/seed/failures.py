"""The errors of all drivers as ours: by class and code only, as their texts may quote a row."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from promptsales.content.failures import mongo_errors
from promptsales.errors import TerminalError, TransientError, driver_errors


@contextmanager
def system_errors(what: str) -> Iterator[None]:
    """Sort the errors of PostgreSQL, MongoDB and Redis.

    Args:
        what: the work that was going on, for the message: ``"seed promptcontent"``.

    Raises:
        TransientError: when a system cannot be reached, or a transaction met another.
        TerminalError: when a system refuses, for instance because its schema is not provisioned.
    """
    try:
        with driver_errors(what), mongo_errors(what):
            yield
    except redis.RedisError as error:
        if isinstance(error, redis.ConnectionError | redis.TimeoutError):
            raise TransientError(f"{what}: {type(error).__name__}; it is tried again") from None
        raise TerminalError(f"{what}: {type(error).__name__}") from None
