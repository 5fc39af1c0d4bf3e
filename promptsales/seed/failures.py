"""The errors of all drivers as ours: by class and code only, as their texts may quote a row."""

from collections.abc import Iterator
from contextlib import contextmanager

from promptsales.errors import driver_errors
from promptsales.failures.cache import redis_errors
from promptsales.failures.mongo import mongo_errors


@contextmanager
def system_errors(what: str) -> Iterator[None]:
    """Sort the errors of PostgreSQL, MongoDB and Redis.

    Args:
        what: the work that was going on, for the message: ``"seed promptcontent"``.

    Raises:
        TransientError: when a system cannot be reached, or a transaction met another.
        TerminalError: when a system refuses, for instance because its schema is not provisioned.
    """
    with driver_errors(what), mongo_errors(what), redis_errors(what):
        yield
