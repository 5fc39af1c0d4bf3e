"""A process that listens in place of a PostgreSQL server gets no password, whichever client comes."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, get_args

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from py4j.java_gateway import JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

from local.postgres import Postgres
from promptsales.airflow_client.registration import connections
from promptsales.connections import connected, open_async, require_scram
from promptsales.errors import PipelineError
from promptsales.java import JARS, java
from promptsales.jdbc import security_properties
from promptsales.settings import HOST, Settings
from promptsales.stream.connectors import source_properties
from promptsales.targets import InternalName, Port, PublicName, postgres_target

SECRET = "0123456789abcdef" * 4
_SSL, _GSS = 80877103, 80877104
_CLEAR_TEXT_PASSWORD = struct.pack("!cII", b"R", 8, 3)


def receive(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := client.recv(count - len(data))):
        data += part
    return data


def ask_for_password(client: socket.socket) -> bytes:
    """Ask for the password in clear text, and return what the client answers."""
    while len(head := receive(client, 8)) == 8:
        size, kind = struct.unpack("!II", head)
        receive(client, size - 8)
        if kind not in (_SSL, _GSS):
            client.sendall(_CLEAR_TEXT_PASSWORD)
            return client.recv(1000)
        client.sendall(b"N")
    return b""  # it only looked whether somebody listens


@contextmanager
def impostor() -> Iterator[tuple[int, list[bytes]]]:
    """Listen on a free port; yield it and what every client has answered."""
    answers: list[bytes] = []
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client:
                        client.settimeout(5)
                        answers.append(ask_for_password(client))

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], answers
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def settings_at(state: Path, port: int, cluster: Port) -> Settings:
    """Return settings by which a cluster of the local stack listens on the port, and all passwords are one."""
    settings = Settings(state=state, port_base=port - get_args(Port).index(cluster))
    roles = ("promptcrm_owner", "etl_reader", "etl_audit", "cdc", "warehouse_loader", "warehouse_page", "bi", "airflow")
    for name in ("postgres", *roles):
        settings.secrets.write(name, SECRET)
    return settings


def by_psycopg(settings: Settings, name: Any) -> None:
    with connected(settings, name):
        pass


def by_asyncio(settings: Settings, name: Any) -> None:
    asyncio.run(open_async(settings, name))


def by_local_stack(settings: Settings, name: Any) -> None:
    Postgres(settings, postgres_target(name).cluster).connect()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("promptcrm", by_psycopg),
        ("promptcrm_etl", by_psycopg),
        ("promptcrm_cdc", by_psycopg),
        ("sources_admin", by_psycopg),
        ("warehouse", by_psycopg),
        ("warehouse", by_asyncio),
        ("bi", by_psycopg),
        ("warehouse_admin", by_psycopg),
        ("airflow_db", by_psycopg),
        ("sources_admin", by_local_stack),
    ],
)
def test_no_connection_of_the_local_stack_tells_its_password(
    tmp_path: Path, name: PublicName | InternalName, by: Callable[[Settings, Any], None]
) -> None:
    with impostor() as (port, answers), pytest.raises((psycopg.OperationalError, PipelineError)):
        by(settings_at(tmp_path, port, postgres_target(name).cluster), name)
    assert set(answers) == {b""}


def test_nor_a_login_of_ours_at_another_server(tmp_path: Path) -> None:
    assert set(asked_for_a_password(tmp_path, "warehouse_loader", "")) == {b""}
    # a login whose password is another's, or an address that asks for it
    assert SECRET.encode() in b"".join(asked_for_a_password(tmp_path, "warehouse_robot", ""))
    assert SECRET.encode() in b"".join(asked_for_a_password(tmp_path, "warehouse_loader", "?require_auth=password"))


def asked_for_a_password(state: Path, user: str, options: str) -> list[bytes]:
    """Return what a server that asks for a password in clear text is told, connection by connection."""
    with impostor() as (port, answers):
        dsn = {"warehouse": f"postgresql://{user}:{SECRET}@{HOST}:{port}/warehouse{options}"}
        with pytest.raises(PipelineError):
            by_psycopg(Settings(state=state, dsn=dsn), "warehouse")
    return answers


def test_what_airflow_and_debezium_are_told(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, 21000, "sources")
    for name in ("mongo_promptcontent_etl", "mongo_admin", "redis", "kafka_operator", "kafka_content", "kafka_stream"):
        settings.secrets.write(name, SECRET)
    registered = [each for each in connections(settings) if each.conn_type == "postgres"]
    assert {'"require_auth": "scram-sha-256"' in str(each.extra) for each in registered} == {True}
    assert source_properties(settings, "promptcrm")["driver.requireAuth"] == "scram-sha-256"


@pytest.fixture(scope="module")
def jvm() -> Iterator[Any]:
    """Start a JVM with PostgreSQL's driver."""
    import pyspark

    (bridge,) = (Path(pyspark.__file__).parent / "jars").glob("py4j-*.jar")
    (driver,) = (JARS / "jdbc").glob("postgresql-*.jar")
    port = launch_gateway(
        jarpath=str(bridge), classpath=str(driver), die_on_exit=True, java_path=str(java().home / "bin" / "java")
    )
    gateway = JavaGateway()
    gateway.gateway_parameters.port = port
    yield gateway.jvm
    gateway.shutdown()


@pytest.mark.parametrize("is_protected", [True, False], ids=["protected", "as_it_is"])
def test_spark_and_debezium_do_not_tell_it(tmp_path: Path, jvm: Any, is_protected: bool) -> None:
    with impostor() as (port, answers):
        settings = settings_at(tmp_path, port, "warehouse")
        address = conninfo_to_dict(settings.address("warehouse"))
        protection = security_properties("warehouse", require_scram(settings, "warehouse", address))
        properties = jvm.java.util.Properties()
        for key, value in {"user": "warehouse_loader", "password": SECRET, **protection}.items():
            if is_protected or key != "requireAuth":
                properties.setProperty(key, value)
        with pytest.raises(Py4JJavaError):
            jvm.org.postgresql.Driver().connect(f"jdbc:postgresql://{HOST}:{port}/warehouse", properties)
    assert [SECRET.encode() in answer for answer in answers] == [not is_protected]
