"""Turn the errors of all drivers into ours, by class and code only, because their texts may quote a row."""

from collections.abc import Iterator
from contextlib import contextmanager

from promptsales.errors import driver_errors
from promptsales.failures.cache import redis_errors
from promptsales.failures.mongo import mongo_errors


@contextmanager
def system_errors(what: str) -> Iterator[None]:
    """Turn errors of PostgreSQL, MongoDB and Redis into transient and terminal errors.

    Args:
        what: the work in progress, for the message: ``"seed promptcontent"``.

    Raises:
        TransientError: when a system cannot be reached, or a transaction conflicted with another.
        TerminalError: when a system rejects a statement, for instance because its schema is not provisioned.
    """
    with driver_errors(what), mongo_errors(what), redis_errors(what):
        yield
