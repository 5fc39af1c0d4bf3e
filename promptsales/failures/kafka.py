"""Translate the errors of Kafka."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from promptsales.errors import ConfigError, TerminalError, TransientError

# the client's own errors: no broker, no such host, no answer in time, a full queue
_UNREACHABLE = frozenset({
    KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE, KafkaError._RESOLVE, KafkaError._WAIT_COORD, KafkaError._QUEUE_FULL,
})  # fmt: skip
# brokers' errors that the protocol calls retriable (https://kafka.apache.org/protocol#protocol_error_codes); the
# client's retriable() only covers transactions
_LATER = frozenset({
    KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.REQUEST_TIMED_OUT, KafkaError.BROKER_NOT_AVAILABLE, KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR, KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.REBALANCE_IN_PROGRESS, KafkaError.NOT_CONTROLLER, KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.OFFSET_NOT_AVAILABLE, KafkaError.PREFERRED_LEADER_NOT_AVAILABLE,
    KafkaError.ELIGIBLE_LEADERS_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.UNSTABLE_OFFSET_COMMIT,
    KafkaError.THROTTLING_QUOTA_EXCEEDED, KafkaError.CONCURRENT_TRANSACTIONS, KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.STALE_BROKER_EPOCH,
})  # fmt: skip
_LOGIN = frozenset({
    KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.ILLEGAL_SASL_STATE, KafkaError._SSL,
})  # fmt: skip
_RIGHTS = frozenset({
    KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
})  # fmt: skip


@contextmanager
def kafka_errors(what: str, place: str = "") -> Iterator[None]:
    """Translate the errors of Kafka.

    Args:
        what: the work that failed, for the message.
        place: hosts and ports of the brokers, if known.

    Raises:
        TransientError: when no broker answers, or a retry may succeed.
        ConfigError: when a broker refuses the login.
        TerminalError: when a broker refuses anything else.
    """
    try:
        yield
    except KafkaException as error:
        raise kafka_failure(what, error.args[0], place) from None
    except BufferError:
        raise TransientError(
            f"{what}: the client's queue is full, as the brokers do not keep up; a retry may succeed"
        ) from None


def kafka_failure(what: str, error: KafkaError, place: str = "") -> TransientError | TerminalError:
    """Return our error for an error of Kafka."""
    at = f" at {place}" if place else ""
    if error.code() in _UNREACHABLE:
        return TransientError(
            f"{what}: kafka does not answer{at}: {error.name()}; retry, and if that fails too, check host, port and "
            "login in its address"
        )
    message = f"{what}: kafka{at}: {error.name()}"
    if error.retriable() or error.fatal() or error.code() in _LATER:
        # a fatal error ends this producer; a retry has a new one
        return TransientError(f"{message}; a retry may succeed")
    if error.code() in _LOGIN:
        return ConfigError(f"{message}: a broker refuses the login; correct user and password in the address")
    if error.code() in _RIGHTS:
        return TerminalError(f"{message}: the client lacks the permission; grant it on the brokers")
    return TerminalError(message)
