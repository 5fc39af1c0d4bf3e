"""Spark's driver answers no call of a process that does not know the secret of its session."""

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from promptsales.java import JARS
from promptsales.settings import HOST
from spark_jobs.session import session
from tests.support.inbox import MAIL_PASSWORD

_RPC_REQUEST, _RPC_FAILURE, _STREAM_REQUEST, _STREAM_FAILURE = 3, 5, 6, 8
_CALL = "org.apache.spark.rpc.netty.RpcEndpointVerifier$CheckExistence"


def listening_ports(process: psutil.Process) -> set[Any]:
    return {port.laddr for port in process.net_connections("tcp") if port.status == psutil.CONN_LISTEN}


def driver(spark: Any) -> psutil.Process:
    """Return the driver's process; other tests of this run may have left a JVM of their own."""
    port = int(spark.conf.get("spark.driver.port"))
    javas = [child for child in psutil.Process().children(recursive=True) if child.name() == "java"]
    (process,) = (java for java in javas if port in {address.port for address in listening_ports(java)})
    return process


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Start a session as a build does."""
    with session("local[1]", "512m", 1) as spark:
        yield spark


def send(port: int, kind: int, request: bytes) -> tuple[int, bytes]:
    """Send a message to a port of Spark, and return the kind of the answer and its bytes."""
    with socket.create_connection((HOST, port), timeout=10) as driver, driver.makefile("rb") as answers:
        driver.sendall(struct.pack(">qb", 9 + len(request), kind) + request)
        length, answer = struct.unpack(">qb", answers.read(9))
        return answer, answers.read(length - 9)


def ask(port: int, call: bytes) -> tuple[int, bytes]:
    """Send one call to a port of Spark, and return the kind of the answer and its bytes."""
    return send(port, _RPC_REQUEST, struct.pack(">qi", 1, len(call)) + call)


def text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()


def call_of_a_stranger(spark: Any, port: int) -> bytes:
    """Return a call that any process with Spark's jars can write: whether the driver has a scheduler."""
    jvm, new_array = spark._jvm, spark.sparkContext._gateway.new_array
    types, values = new_array(jvm.java.lang.Class, 1), new_array(jvm.java.lang.Object, 1)
    types[0], values[0] = jvm.java.lang.Class.forName("java.lang.String"), "HeartbeatReceiver"
    question = jvm.java.lang.Class.forName(_CALL).getConstructor(types).newInstance(values)
    written = jvm.java.io.ByteArrayOutputStream()
    jvm.java.io.ObjectOutputStream(written).writeObject(question)
    receiver = b"\x01" + text(HOST) + struct.pack(">i", port) + text("endpoint-verifier")
    return b"\x00" + receiver + bytes(written.toByteArray())


def test_a_stranger_gets_no_answer(spark: Any) -> None:
    port = int(spark.conf.get("spark.driver.port"))
    kind, answer = ask(port, call_of_a_stranger(spark, port))
    assert (kind, b"Unknown challenge message" in answer) == (_RPC_FAILURE, True), answer[:200]


def test_every_port_is_on_loopback_and_every_call_is_challenged(spark: Any) -> None:
    listening = listening_ports(driver(spark))
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {HOST}
    # the one other port is that of Py4J, which has a token of its own
    python = spark.sparkContext._gateway.gateway_parameters
    assert python.auth_token
    answers = {ask(address.port, b"hello") for address in listening if address.port != python.port}
    assert {(kind, b"Unknown challenge message" in answer) for kind, answer in answers} == {(_RPC_FAILURE, True)}
    assert len(listening) == 3


def test_a_stranger_gets_no_file(spark: Any) -> None:
    # the driver's file server does not ask for the secret, so it must have nothing to give
    assert spark._jsc.sc().listJars().isEmpty()
    port, jar = int(spark.conf.get("spark.driver.port")), next(JARS.glob("jdbc/postgresql-*.jar")).name
    path = f"/jars/{jar}".encode()
    kind, answer = send(port, _STREAM_REQUEST, struct.pack(">i", len(path)) + path)
    assert (kind, b"was not found" in answer) == (_STREAM_FAILURE, True), answer[:200]


def test_the_driver_inherits_no_setting_of_ours(spark: Any) -> None:
    # tests/support/servers.py sets some, the mail server's password among them
    assert MAIL_PASSWORD in os.environ["PROMPTSALES_ALERT_MAIL"]
    assert [name for name in driver(spark).environ() if name.startswith("PROMPTSALES_")] == []
