"""Errors of the drivers that our servers do not raise on demand: each is transient or terminal, without its text."""

import ssl
from typing import Any

import httpx
import pymongo.errors
import pytest
import redis
from confluent_kafka import KafkaError, KafkaException
from pymongo.errors import OperationFailure

from promptsales.errors import ConfigError, PipelineError, TerminalError, TransientError
from promptsales.failures import rest
from promptsales.failures.cache import redis_errors
from promptsales.failures.kafka import kafka_errors
from promptsales.failures.mongo import mongo_errors
from promptsales.failures.reach import Server

QUOTED = "ann@example.com"


def labelled(label: str) -> OperationFailure:
    return OperationFailure(QUOTED, 1, {"errorLabels": [label]})


def unresolved() -> pymongo.errors.ConfigurationError:
    import dns.resolver

    error = pymongo.errors.ConfigurationError(QUOTED)
    error.__cause__ = dns.resolver.NoNameservers()  # type: ignore[no-untyped-call]
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pymongo.errors.AutoReconnect(QUOTED), TransientError),
        (pymongo.errors.NetworkTimeout(QUOTED), TransientError),
        (pymongo.errors.NotPrimaryError(QUOTED), TransientError),
        (pymongo.errors.ServerSelectionTimeoutError(QUOTED), TransientError),
        (pymongo.errors.WaitQueueTimeoutError(QUOTED), TransientError),
        (pymongo.errors.ExecutionTimeout(QUOTED, 50), TransientError),
        (OperationFailure(QUOTED, 10107), TransientError),
        (OperationFailure(QUOTED, 189), TransientError),
        (OperationFailure(QUOTED, 11600), TransientError),
        (labelled("TransientTransactionError"), TransientError),
        (labelled("RetryableWriteError"), TransientError),
        (unresolved(), TransientError),
        (OperationFailure(QUOTED, 18), ConfigError),
        (OperationFailure(QUOTED, 8000), ConfigError),
        (pymongo.errors.InvalidURI(QUOTED), ConfigError),
        (pymongo.errors.ConfigurationError(QUOTED), ConfigError),
        (OperationFailure(QUOTED, 13), TerminalError),
        (OperationFailure(QUOTED), TerminalError),
        (pymongo.errors.DuplicateKeyError(QUOTED, 11000), TerminalError),
        (pymongo.errors.BulkWriteError({"writeErrors": [{"op": QUOTED}]}), TerminalError),
        (pymongo.errors.InvalidOperation(QUOTED), TerminalError),
    ],
)
def test_mongo(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(PipelineError) as caught, mongo_errors("load", Server("MongoDB", "127.0.0.1:1", 27017)):
        raise error
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"load: mongo at 127.0.0.1:1: {type(error).__name__}, code ")
    assert (QUOTED in str(caught.value), caught.value.__suppress_context__) == (False, True)


def test_a_document_that_is_no_bson() -> None:
    with pytest.raises(TerminalError) as caught, mongo_errors("load"):
        raise pymongo.errors.DocumentTooLarge(QUOTED)
    assert str(caught.value) == "load: mongo: a document cannot be encoded or decoded: DocumentTooLarge"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._TRANSPORT, TransientError),
        (KafkaError._ALL_BROKERS_DOWN, TransientError),
        (KafkaError._RESOLVE, TransientError),
        (KafkaError._MSG_TIMED_OUT, TransientError),
        (KafkaError.LEADER_NOT_AVAILABLE, TransientError),
        (KafkaError.NOT_LEADER_FOR_PARTITION, TransientError),
        (KafkaError.NOT_ENOUGH_REPLICAS, TransientError),
        (KafkaError.REQUEST_TIMED_OUT, TransientError),
        (KafkaError.NOT_CONTROLLER, TransientError),
        (KafkaError.THROTTLING_QUOTA_EXCEEDED, TransientError),
        (KafkaError._AUTHENTICATION, ConfigError),
        (KafkaError.SASL_AUTHENTICATION_FAILED, ConfigError),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, TerminalError),
        (KafkaError.MSG_SIZE_TOO_LARGE, TerminalError),
        (KafkaError.INVALID_CONFIG, TerminalError),
        (KafkaError.OFFSET_OUT_OF_RANGE, TerminalError),
        (KafkaError._INVALID_ARG, TerminalError),
    ],
)
def test_kafka(code: int, kind: type[Exception]) -> None:
    error = KafkaError(code, QUOTED)
    with pytest.raises(PipelineError) as caught, kafka_errors("send", "127.0.0.1:1"):
        raise KafkaException(error)
    assert type(caught.value) is kind
    assert error.name() in str(caught.value)
    assert "at 127.0.0.1:1" in str(caught.value)
    assert QUOTED not in str(caught.value)


def test_kafka_with_a_full_queue() -> None:
    with pytest.raises(TransientError, match=r"^send: the client's queue is full"), kafka_errors("send"):
        raise BufferError(QUOTED)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (redis.ConnectionError(QUOTED), TransientError),
        (redis.TimeoutError(QUOTED), TransientError),
        (redis.exceptions.BusyLoadingError(QUOTED), TransientError),
        (redis.exceptions.ReadOnlyError(QUOTED), TransientError),
        (redis.exceptions.MasterDownError(QUOTED), TransientError),
        (redis.exceptions.ClusterDownError(QUOTED), TransientError),
        (redis.exceptions.OutOfMemoryError(QUOTED), TransientError),
        (redis.exceptions.MaxConnectionsError(QUOTED), TransientError),
        (redis.AuthenticationError(QUOTED), ConfigError),
        (redis.exceptions.AuthorizationError(QUOTED), ConfigError),
        (redis.exceptions.NoPermissionError(QUOTED), TerminalError),
        (redis.ResponseError(QUOTED), TerminalError),
        (redis.exceptions.InvalidResponse(QUOTED), TerminalError),
        (redis.DataError(QUOTED), TerminalError),
    ],
)
def test_redis(error: Exception, kind: type[Exception]) -> None:
    with (
        redis.Redis(host="127.0.0.1", port=1) as client,
        pytest.raises(PipelineError) as caught,
        redis_errors("look", client),
    ):
        raise error
    assert type(caught.value) is kind
    assert f"at 127.0.0.1:1, user default: {type(error).__name__}" in str(caught.value)
    assert QUOTED not in str(caught.value)


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError(QUOTED)
    error.__context__ = ssl.SSLCertVerificationError(QUOTED)
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError(QUOTED), TransientError),
        (httpx.ReadTimeout(QUOTED), TransientError),
        (httpx.RemoteProtocolError(QUOTED), TransientError),
        (httpx.UnsupportedProtocol(QUOTED), TerminalError),
        (httpx.DecodingError(QUOTED), TerminalError),
        (untrusted(), ConfigError),
    ],
)
def test_rest(error: Any, kind: type[Exception]) -> None:
    failure = rest.unreachable("airflow", "http://127.0.0.1:1", error)
    assert type(failure) is kind
    assert str(failure).startswith("airflow at http://127.0.0.1:1")
    assert type(error).__name__ in str(failure)
    assert QUOTED not in str(failure)
