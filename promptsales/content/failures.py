"""The errors of MongoDB's and Kafka's drivers as ours: by class and code only, as their texts may quote a document."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException
from pymongo.errors import ConnectionFailure, PyMongoError

from promptsales.errors import TerminalError, TransientError


@contextmanager
def mongo_errors(what: str) -> Iterator[None]:
    """Sort the errors of MongoDB.

    Raises:
        TransientError: when it cannot be reached, or says that a retry may do.
        TerminalError: when it refuses.
    """
    try:
        yield
    except PyMongoError as error:
        if isinstance(error, ConnectionFailure) or error.has_error_label("TransientTransactionError"):
            raise TransientError(f"{what}: mongo: {type(error).__name__}; it is tried again") from None
        raise TerminalError(f"{what}: mongo: {type(error).__name__}, code {getattr(error, 'code', None)}") from None


@contextmanager
def kafka_errors(what: str) -> Iterator[None]:
    """Sort the errors of Kafka.

    Raises:
        TransientError: when no broker answers, or the same call may succeed later.
        TerminalError: when one refuses.
    """
    try:
        yield
    except KafkaException as error:
        raise failure(what, error.args[0]) from None


# of the client itself, which calls none of them retriable
_LATER = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT)


def failure(what: str, error: KafkaError) -> TransientError | TerminalError:
    """Our error for one of Kafka's."""
    if error.retriable() or error.fatal() or error.code() in _LATER:
        # a fatal error ends this producer; the next try has a new one
        return TransientError(f"{what}: kafka: {error.name()}; it is tried again")
    return TerminalError(f"{what}: kafka: {error.name()}")
