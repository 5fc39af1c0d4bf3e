"""Translate the errors of Kafka."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from promptsales.errors import ConfigError, TerminalError, TransientError
from promptsales.failures.reach import Server, accepts, why_silent
from promptsales.kafka_address import brokers_of, client_properties

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

# a process of Airflow has the address from its connection, every other one from the setting
_WHERE = "PROMPTSALES_DSN__KAFKA (in Airflow: the connection kafka)"
_ASK_S = 3.0


@contextmanager
def kafka_errors(what: str, address: str = "") -> Iterator[None]:
    """Translate the errors of Kafka.

    Args:
        what: the work that failed, for the message.
        address: the address of the brokers, if known; the message names hosts, ports and user.

    Raises:
        TransientError: when no broker answers, or a retry may succeed.
        ConfigError: when a broker refuses the login.
        TerminalError: when a broker refuses anything else.
    """
    try:
        yield
    except KafkaException as error:
        raise kafka_failure(what, error.args[0], address) from None
    except BufferError:
        raise TransientError(
            f"{what}: the client's queue is full, as the brokers do not keep up; a retry may succeed"
        ) from None


def kafka_failure(what: str, error: KafkaError, address: str = "") -> TransientError | TerminalError:
    """Return our error for an error of Kafka."""
    server = _server(address) if address else None
    message = f"{what}: kafka{f' at {server}' if server else ''}: {error.name()}"
    is_refused = error.code() in _LOGIN
    if error.code() in _UNREACHABLE:
        is_refused = bool(server and server.user and accepts(server)) and _is_login_refused(address)
        if not is_refused:
            why = why_silent(server) if server else f"check host, port and login in {_WHERE}, or retry later"
            return TransientError(f"{message}: {why}")
    if error.retriable() or error.fatal() or error.code() in _LATER:
        # a fatal error ends this producer; a retry has a new one
        return TransientError(f"{message}; a retry may succeed")
    if is_refused:
        return ConfigError(f"{message}: the server refuses the user or its password; correct them in {_WHERE}")
    if error.code() in _RIGHTS:
        return TerminalError(f"{message}: the client lacks the permission; grant it on the brokers")
    return TerminalError(message)


def _server(address: str) -> Server:
    user = client_properties(address).get("sasl.username", "")
    return Server("Kafka", brokers_of(address), 9092, user, _WHERE)


def _is_login_refused(address: str) -> bool:
    """Ask the brokers again with the login: librdkafka reports a refused one only to a callback, and goes on trying."""
    from confluent_kafka.admin import AdminClient

    codes: list[int] = []
    config: Any = {"log_level": 0, "error_cb": lambda error: codes.append(error.code())}
    client = AdminClient({**client_properties(address), **config})
    deadline = time.monotonic() + _ASK_S
    while time.monotonic() < deadline and KafkaError._AUTHENTICATION not in codes:
        client.poll(0.1)
    return KafkaError._AUTHENTICATION in codes
