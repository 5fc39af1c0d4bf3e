"""Real servers refuse a call: each error is transient or terminal by its code, and names host, port, code and a fix."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Literal

import psycopg
import pytest
import redis
from confluent_kafka import Producer
from psycopg.conninfo import make_conninfo

from promptsales import connections, provision
from promptsales.airflow_client.models import AirflowConnection
from promptsales.airflow_client.registration import postgres_connection
from promptsales.bus import topics
from promptsales.cache.unexpected_keys import find_unexpected_keys
from promptsales.connections import connected, mongo
from promptsales.errors import ConfigError, TerminalError, TransientError, driver_errors
from promptsales.failures.cache import redis_errors
from promptsales.failures.kafka import kafka_errors
from promptsales.failures.mongo import mongo_errors
from promptsales.kafka_address import client_properties
from promptsales.orchestration import connections as airflow_connections
from promptsales.settings import Settings
from tests.support.refusals import SECRET, environment, error_of, ports, with_address

REFUSED = "connection warehouse: the server at 127.0.0.1:{warehouse}, user {user}, database {database}, refuses "
MONGO_LOGIN = (
    "OperationFailure, code 18: the server refuses the user or its password; correct user, password or authSource in "
    "PROMPTSALES_DSN__PROMPTCONTENT_ETL"
)
MONGO_SILENT = "ServerSelectionTimeoutError, code none: "
REDIS_LOGIN = (
    "redis at 127.0.0.1:{redis}, user default: AuthenticationError: the server refuses the user or its password; "
    "correct user and password in PROMPTSALES_DSN__REDIS (in Airflow: the connection redis)"
)
CORRECT = "; correct user, password or database in PROMPTSALES_DSN__WAREHOUSE"


def postgres(stack: Settings, **changed: Any) -> Callable[[], None]:
    address = make_conninfo(stack.address("warehouse"), **changed)

    def call() -> None:
        with connected(with_address(stack, "warehouse", address), "warehouse"):
            raise AssertionError("it connects")

    return call


@pytest.mark.parametrize(
    ("changed", "kind", "text"),
    [
        ({"password": SECRET}, ConfigError, f"{REFUSED}the password, or does not know the user{CORRECT}"),
        ({"password": ""}, ConfigError, f"{REFUSED}a login without a password{CORRECT}"),
        ({"user": "nobody_9"}, ConfigError, f"{REFUSED}the password, or does not know the user{CORRECT}"),
        ({"dbname": "no_such"}, ConfigError, f"{REFUSED}the user or the database, which does not exist{CORRECT}"),
        ({"port": 1}, TransientError, "connection warehouse: 127.0.0.1:1 refuses the connection, as nothing listens on "
         "that port (user {user}); start the server (`promptsales up` starts the local ones), or correct the port in "
         "PROMPTSALES_DSN__WAREHOUSE"),
        ({"host": "no.invalid"}, TransientError, "connection warehouse: host no.invalid is unknown, for port "
         "{warehouse} (user {user}); correct the host in PROMPTSALES_DSN__WAREHOUSE"),
        ({"sslmode": "require"}, TransientError, "connection warehouse: 127.0.0.1:{warehouse} (user {user}) does not "
         "answer as PostgreSQL; check host, port and TLS in PROMPTSALES_DSN__WAREHOUSE, or retry later"),
        # TCP reaches no broadcast address
        (
            {"host": "255.255.255.255", "connect_timeout": 2}, TransientError,
            "connection warehouse: 255.255.255.255:{warehouse} is unreachable (user {user}); check network and "
            "firewall, or correct the host in PROMPTSALES_DSN__WAREHOUSE",
        ),
    ],
)  # fmt: skip
def test_postgres(stack: Settings, changed: dict[str, Any], kind: type[Exception], text: str) -> None:
    error = error_of(postgres(stack, **changed))
    known = {"user": "warehouse_loader", "database": "warehouse", **ports(stack)}
    known |= {"database": changed["dbname"]} if "dbname" in changed else {}
    known |= {"user": changed["user"]} if "user" in changed else {}
    assert (type(error), str(error)) == (kind, text.format(**known))


def test_the_local_stack_is_down(stack: Settings) -> None:
    def call() -> None:
        with connected(stack.model_copy(update={"port_base": 1024}), "warehouse"):
            raise AssertionError("it connects")

    assert str(error_of(call)) == (
        "connection warehouse: 127.0.0.1:1025 refuses the connection, as nothing listens on that port "
        "(user warehouse_loader); start it with `promptsales up`"
    )


def test_a_connection_of_airflow(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = postgres_connection("promptcrm", f"postgresql://etl_reader:{SECRET}@127.0.0.1:1/promptcrm", "")
    monkeypatch.setenv("AIRFLOW_CONN_PROMPTCRM", as_json(connection))

    def connect() -> None:
        with airflow_connections.postgres("promptcrm"):
            raise AssertionError("it connects")

    assert str(error_of(connect)) == (
        "connection promptcrm: 127.0.0.1:1 refuses the connection, as nothing listens on that port (user etl_reader); "
        "start the server (`promptsales up` starts the local ones), or correct the port in "
        "the Airflow connection promptcrm (Admin > Connections)"
    )
    connection = postgres_connection("promptcrm", stack.address("promptcrm_etl"), "")
    monkeypatch.setenv("AIRFLOW_CONN_PROMPTCRM", as_json(connection.model_copy(update={"password": SECRET})))
    assert str(error_of(connect)) == (
        f"connection promptcrm: the server at 127.0.0.1:{stack.port('sources')}, user etl_reader, database promptcrm, "
        "refuses the password, or does not know the user; correct user, password or database in "
        "the Airflow connection promptcrm (Admin > Connections)"
    )


def as_json(connection: AirflowConnection) -> str:
    return json.dumps(connection.model_dump(by_alias=True, exclude_none=True, exclude={"connection_id"}))


def test_a_statement_that_postgres_refuses(stack: Settings) -> None:
    def select_unknown() -> None:
        with connected(stack, "warehouse") as warehouse:
            warehouse.execute("select * from no_such")

    def lose_session() -> None:
        with connected(stack, "warehouse_admin") as admin, connected(stack, "warehouse") as warehouse:
            admin.execute("select pg_terminate_backend(%s)", [warehouse.info.backend_pid])
            warehouse.execute("select 1")

    unknown, lost = error_of(select_unknown), error_of(lose_session)
    assert (type(unknown), type(lost)) == (TerminalError, TransientError)
    assert str(unknown).startswith("warehouse: UndefinedTable, sqlstate 42P01 (relation")
    assert str(lost) == "warehouse: AdminShutdown, sqlstate 57P01; a retry may succeed"


def test_a_refused_login_in_any_language() -> None:
    state = psycopg.errors.FinishedPGconn(used_password=True)
    text = 'connection failed: connection to server at "h", port 1 failed: {}'
    german = psycopg.OperationalError(text.format("FATAL:  Passwort-Authentifizierung fehlgeschlagen"), pgconn=state)
    full = psycopg.OperationalError(text.format("FATAL:  remaining connection slots are reserved"), pgconn=state)
    lost = psycopg.OperationalError(text.format("server closed the connection unexpectedly"), pgconn=state)
    for error, kind in ((german, TerminalError), (full, TransientError), (lost, TransientError)):
        with pytest.raises(kind), driver_errors("load"):
            raise error


@pytest.mark.parametrize(
    ("part", "replacement", "kind", "text"),
    [
        ("{password}", SECRET, ConfigError, MONGO_LOGIN),
        ("promptcontent_etl:", "nobody:", ConfigError, MONGO_LOGIN),
        ("authSource=admin", "authSource=other", ConfigError, MONGO_LOGIN),
        (":{mongo}", ":1", TransientError, f"{MONGO_SILENT}127.0.0.1:1 refuses the connection, as nothing listens"),
        ("127.0.0.1", "no.invalid", TransientError, f"{MONGO_SILENT}host no.invalid is unknown, for port {{mongo}}"),
        ("127.0.0.1", "255.255.255.255", TransientError, f"{MONGO_SILENT}255.255.255.255:{{mongo}} is unreachable"),
        (":{mongo}", ":{warehouse}", TransientError,
         f"{MONGO_SILENT}127.0.0.1:{{warehouse}} (user promptcontent_etl) does not answer as MongoDB; check host"),
    ],
)  # fmt: skip
def test_mongo(
    stack: Settings, monkeypatch: pytest.MonkeyPatch, part: str, replacement: str, kind: type[Exception], text: str
) -> None:
    known: dict[str, Any] = {"password": stack.secrets.password("mongo_promptcontent_etl"), **ports(stack)}
    address = stack.address("promptcontent_etl").replace(part.format(**known), replacement.format(**known))
    settings = with_address(stack, "promptcontent_etl", address)
    monkeypatch.setattr(connections, "_MONGO_TIMEOUT_MS", 300)

    def call() -> None:
        with mongo(settings, "promptcontent_etl"):
            raise AssertionError("it connects")

    error = error_of(call)
    host, user = address.split("@")[1].split("/")[0], address.split("//")[1].split(":")[0]
    message = f"connection promptcontent_etl: mongo at {host}, user {user}: {text.format(**known)}"
    assert (type(error), str(error)[: len(message)]) == (kind, message)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda client: client["promptcontent"].command("no_such"), "look: mongo: OperationFailure, code 59"),
        (lambda client: client["promptcontent"].c.find_one({"$no": 1}), "look: mongo: OperationFailure, code 2"),
        (lambda client: client["other"].c.find_one(), "look: mongo: OperationFailure, code 13: the user lacks the"),
        (lambda client: client["a b"].c.find_one(), "look: mongo: InvalidName, code none"),
    ],
)
def test_a_command_that_mongo_refuses(stack: Settings, call: Callable[[Any], Any], text: str) -> None:
    with mongo(stack, "promptcontent_etl") as client:

        def look() -> None:
            with mongo_errors("look"):
                call(client)

        error = error_of(look)
    assert (type(error), str(error)[: len(text)]) == (TerminalError, text)


@pytest.mark.parametrize(
    ("part", "replacement", "kind", "text"),
    [
        ("{password}", SECRET, ConfigError, REDIS_LOGIN),
        (":{password}@", "", ConfigError, REDIS_LOGIN),
        ("/0", "/999", TerminalError, "redis at 127.0.0.1:{redis}, user default: ResponseError; check that"),
        (":{redis}", ":1", TransientError, "redis at 127.0.0.1:1, user default: ConnectionError: 127.0.0.1:1 refuses"),
        ("127.0.0.1", "no.invalid", TransientError,
         "redis at no.invalid:{redis}, user default: ConnectionError: host no.invalid is unknown, for port {redis}"),
        ("127.0.0.1", "255.255.255.255", TransientError,
         "redis at 255.255.255.255:{redis}, user default: ConnectionError: 255.255.255.255:{redis} is unreachable"),
        (":{redis}", ":{mongo}", TransientError,
         "redis at 127.0.0.1:{mongo}, user default: ConnectionError: 127.0.0.1:{mongo} (user default) does not answer"),
    ],
)  # fmt: skip
def test_redis(stack: Settings, part: str, replacement: str, kind: type[Exception], text: str) -> None:
    known = {"password": stack.secrets.password("redis"), **ports(stack)}
    address = stack.address("redis").replace(part.format(**known), replacement.format(**known))
    error = error_of(lambda: provision.check_keys(address))
    message = "check the key spaces: " + text.format(**known)
    assert (type(error), str(error)[: len(message)]) == (kind, message)


def test_a_command_that_redis_refuses(stack: Settings) -> None:
    with redis.Redis.from_url(stack.address("redis"), decode_responses=True) as client:

        def call() -> None:
            with redis_errors("look", client):
                client.execute_command("NO_SUCH")

        assert type(error_of(call)) is TerminalError
        client.execute_command("ACL", "SETUSER", "reader", "on", f">{SECRET}", "~*", "+ping")
        try:
            with redis.Redis.from_url(f"redis://reader:{SECRET}@127.0.0.1:{stack.port('redis')}/0") as reader:
                error = error_of(lambda: find_unexpected_keys(reader))
        finally:
            client.execute_command("ACL", "DELUSER", "reader")
    assert (type(error), "NoPermissionError: the user lacks the permission" in str(error)) == (TerminalError, True)


@pytest.mark.parametrize(
    ("address", "kind", "text"),
    [
        ("127.0.0.1:1", TransientError, "127.0.0.1:1 refuses the connection, as nothing listens on that port; start"),
        ("no.invalid:1", TransientError, "host no.invalid is unknown, for port 1; correct the host in"),
        ("255.255.255.255:1", TransientError, "255.255.255.255:1 is unreachable; check network and firewall"),
        ("127.0.0.1:{redis}", TransientError, "127.0.0.1:{redis} does not answer as Kafka; check host, port and TLS"),
        (f"kafka://operator:{SECRET}@127.0.0.1:{{kafka}}", ConfigError, "the server refuses the user or its password;"),
    ],
)  # fmt: skip
def test_kafka(
    stack: Settings, monkeypatch: pytest.MonkeyPatch, address: str, kind: type[Exception], text: str
) -> None:
    monkeypatch.setattr(topics, "_TIMEOUT_S", 0.5)
    address = address.format(**ports(stack))
    error = error_of(lambda: topics.plan(topics.admin(address)))
    login = ", user operator" if "@" in address else ""
    message = f"list topics: kafka at {address.split('@')[-1]}{login}: _TRANSPORT: {text.format(**ports(stack))}"
    assert (type(error), str(error)[: len(message)]) == (kind, message)


def test_a_request_that_kafka_refuses(stack: Settings) -> None:
    change = topics.TopicChange(action="create", topic="a topic", what="x", partitions=1)
    error = error_of(lambda: topics.apply(topics.admin(stack.address("kafka")), [change]))
    assert (type(error), str(error)) == (TerminalError, "create topics: a topic: kafka: TOPIC_EXCEPTION")

    def call() -> None:
        with kafka_errors("send"):
            Producer({**client_properties(stack.address("kafka")), "no.such": SECRET})

    assert (type(error := error_of(call)), str(error)) == (TerminalError, "send: kafka: _INVALID_ARG")


@pytest.mark.parametrize(
    ("name", "words"),
    [("warehouse", ["freshness"]), ("warehouse", ["load", "leads"]), ("redis", ["provision", "--dry-run"])],
)
def test_a_command_says_it_in_one_line(stack: Settings, name: Literal["warehouse", "redis"], words: list[str]) -> None:
    address = stack.address(name).replace(str(stack.port(name)), "1")
    result = run_command(stack, name, address, words)
    assert (result.returncode, result.stdout.strip(), result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error: ")
    assert "127.0.0.1:1" in result.stderr


def test_an_address_that_is_none_is_one_line(stack: Settings) -> None:
    result = run_command(stack, "warehouse", "garbage", ["load", "leads"])
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error: connection warehouse: its address is malformed: ")


def run_command(stack: Settings, name: str, address: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
    code = "import sys; from promptsales.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False,
        env={**environment(stack), f"PROMPTSALES_DSN__{name.upper()}": address},
    )  # fmt: skip
