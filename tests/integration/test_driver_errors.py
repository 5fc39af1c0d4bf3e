"""Real servers refuse a call: each error is transient or terminal by its code, and names host, port, code and a fix."""

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
from promptsales.bus import topics
from promptsales.cache.unexpected_keys import find_unexpected_keys
from promptsales.connections import connected, mongo
from promptsales.errors import ConfigError, TerminalError, TransientError, driver_errors
from promptsales.failures.cache import redis_errors
from promptsales.failures.kafka import kafka_errors
from promptsales.failures.mongo import mongo_errors
from promptsales.kafka_address import client_properties
from promptsales.settings import Settings
from tests.support.refusals import SECRET, environment, error_of, ports, with_address

REFUSED = "connection warehouse: the server at 127.0.0.1:{warehouse}"


def postgres(stack: Settings, **changed: Any) -> Callable[[], None]:
    address = make_conninfo(stack.address("warehouse"), **changed)

    def call() -> None:
        with connected(with_address(stack, "warehouse", address), "warehouse"):
            raise AssertionError("it connects")

    return call


@pytest.mark.parametrize(
    ("changed", "kind", "text"),
    [
        ({"password": SECRET}, ConfigError, f"{REFUSED} (OperationalError, sqlstate none) refuses the role, its "
         "password or the database; correct warehouse in the setting PROMPTSALES_DSN"),
        ({"password": ""}, ConfigError, REFUSED),
        ({"user": "nobody_9"}, ConfigError, REFUSED),
        ({"dbname": "no_such"}, ConfigError, REFUSED),
        ({"port": 1}, TransientError, "warehouse does not answer at 127.0.0.1:1 (OperationalError, sqlstate none); "
         "`promptsales status` shows the stack, check host and port in PROMPTSALES_DSN__WAREHOUSE"),
        ({"host": "no.invalid"}, TransientError, "warehouse does not answer at no.invalid:{warehouse} (Op"),
        ({"sslmode": "require"}, TransientError, "warehouse does not answer at 127.0.0.1:{warehouse} (O"),
    ],
)  # fmt: skip
def test_postgres(stack: Settings, changed: dict[str, Any], kind: type[Exception], text: str) -> None:
    error = error_of(postgres(stack, **changed))
    message = text.format(warehouse=stack.port("warehouse"))
    assert (type(error), str(error)[: len(message)]) == (kind, message)


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
        ("{password}", SECRET, ConfigError, "OperationFailure, code 18: login refused; correct user, password and"),
        ("promptcontent_etl:", "nobody:", ConfigError, "OperationFailure, code 18: login refused; correct user"),
        ("authSource=admin", "authSource=other", ConfigError, "OperationFailure, code 18: login refused; correct user"),
        (":{mongo}", ":1", TransientError, "ServerSelectionTimeoutError, code none; no server answers"),
        (":{mongo}", ":{warehouse}", TransientError, "ServerSelectionTimeoutError, code none; no server answers"),
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
    host = address.split("@")[1].split("/")[0]
    message = f"connection promptcontent_etl: mongo at {host}: {text}"
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
        ("{password}", SECRET, ConfigError, "redis at 127.0.0.1:{redis}: AuthenticationError: login refused; correct"),
        (":{password}@", "", ConfigError, "redis at 127.0.0.1:{redis}: AuthenticationError: login refused; correct"),
        ("/0", "/999", TerminalError, "redis at 127.0.0.1:{redis}: ResponseError; check that"),
        (":{redis}", ":1", TransientError, "redis does not answer at 127.0.0.1:1: ConnectionError; retry,"),
        (":{redis}", ":{mongo}", TransientError, "redis does not answer at 127.0.0.1:{mongo}: ConnectionError; re"),
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


@pytest.mark.parametrize("port", ["1", "{redis}", "{warehouse}"])
def test_kafka_does_not_answer(stack: Settings, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setattr(topics, "_TIMEOUT_S", 0.5)
    broker = f"127.0.0.1:{port.format(**ports(stack))}"
    error = error_of(lambda: topics.plan(topics.admin(broker)))
    message = f"list topics: kafka does not answer at {broker}: _TRANSPORT; retry, and if that fails too, check host"
    assert (type(error), str(error)[: len(message)]) == (TransientError, message)


def test_a_request_that_kafka_refuses(stack: Settings) -> None:
    change = topics.TopicChange(action="create", topic="a topic", what="x", partitions=1)
    error = error_of(lambda: topics.apply(topics.admin(stack.address("kafka")), [change]))
    assert (type(error), str(error)) == (TerminalError, "create topics: a topic: kafka: TOPIC_EXCEPTION")

    def call() -> None:
        with kafka_errors("send"):
            Producer({**client_properties(stack.address("kafka")), "no.such": SECRET})

    assert (type(error := error_of(call)), str(error)) == (TerminalError, "send: kafka: _INVALID_ARG")


@pytest.mark.parametrize(("name", "words"), [("warehouse", ["freshness"]), ("redis", ["provision", "--dry-run"])])
def test_a_command_says_it_in_one_line(stack: Settings, name: Literal["warehouse", "redis"], words: list[str]) -> None:
    address = stack.address(name).replace(str(stack.port(name)), "1")
    code = "import sys; from promptsales.cli.main import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False,
        env={**environment(stack), f"PROMPTSALES_DSN__{name.upper()}": address},
    )  # fmt: skip
    assert (result.returncode, result.stdout.strip(), result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("error: ")
    assert "127.0.0.1:1" in result.stderr
