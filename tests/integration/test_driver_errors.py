"""Real servers refuse: each refusal is transient or terminal by its code, and names host, port, code and a way out."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Literal

import psycopg
import pytest
import redis
from confluent_kafka import Producer
from psycopg.conninfo import make_conninfo

from promptsales import connections, provision
from promptsales.airflow_client.api import AirflowClient
from promptsales.bus import topics
from promptsales.cache.key_spaces import find_unexpected_keys
from promptsales.connections import connected, mongo
from promptsales.errors import ConfigError, PipelineError, TerminalError, TransientError, driver_errors
from promptsales.failures.cache import redis_errors
from promptsales.failures.kafka import kafka_errors
from promptsales.failures.mongo import mongo_errors
from promptsales.settings import Settings
from promptsales.stream import connectors

SECRET = "hunter2"
REFUSED = "connection warehouse: the server at 127.0.0.1:{warehouse}"


def elsewhere(stack: Settings, name: str, address: str) -> Settings:
    return stack.model_copy(update={"dsn": {name: address}})


def refusal(call: Callable[[], Any]) -> PipelineError:
    """The error of a call, which holds no secret and no driver's error."""
    with pytest.raises(PipelineError) as caught:
        call()
    assert caught.value.__cause__ is None
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


def postgres(stack: Settings, **changed: Any) -> Callable[[], None]:
    address = make_conninfo(stack.address("warehouse"), **changed)

    def call() -> None:
        with connected(elsewhere(stack, "warehouse", address), "warehouse"):
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
    error = refusal(postgres(stack, **changed))
    assert (type(error), str(error)[: len(told := text.format(warehouse=stack.port("warehouse")))]) == (kind, told)


def test_a_statement_that_postgres_refuses(stack: Settings) -> None:
    def ask() -> None:
        with connected(stack, "warehouse") as warehouse:
            warehouse.execute("select * from no_such")

    def be_ended() -> None:
        with connected(stack, "warehouse_admin") as admin, connected(stack, "warehouse") as warehouse:
            admin.execute("select pg_terminate_backend(%s)", [warehouse.info.backend_pid])
            warehouse.execute("select 1")

    unknown, ended = refusal(ask), refusal(be_ended)
    assert (type(unknown), type(ended)) == (TerminalError, TransientError)
    assert str(unknown).startswith("warehouse: UndefinedTable, sqlstate 42P01 (relation")
    assert str(ended) == "warehouse: AdminShutdown, sqlstate 57P01; it is tried again"


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
    ("part", "by", "kind", "text"),
    [
        ("{password}", SECRET, ConfigError, "OperationFailure, code 18: login refused; correct user, password and"),
        ("promptcontent_etl:", "nobody:", ConfigError, "OperationFailure, code 18: login refused; correct user"),
        ("authSource=admin", "authSource=other", ConfigError, "OperationFailure, code 18: login refused; correct user"),
        (":{mongo}", ":1", TransientError, "ServerSelectionTimeoutError, code none; no server answers"),
        (":{mongo}", ":{warehouse}", TransientError, "ServerSelectionTimeoutError, code none; no server answers"),
    ],
)  # fmt: skip
def test_mongo(
    stack: Settings, monkeypatch: pytest.MonkeyPatch, part: str, by: str, kind: type[Exception], text: str
) -> None:
    known: dict[str, Any] = {"password": stack.secrets.password("mongo_promptcontent_etl"), **ports(stack)}
    address = stack.address("promptcontent_etl").replace(part.format(**known), by.format(**known))
    here = elsewhere(stack, "promptcontent_etl", address)
    monkeypatch.setattr(connections, "_MONGO_TIMEOUT_MS", 300)

    def call() -> None:
        with mongo(here, "promptcontent_etl"):
            raise AssertionError("it connects")

    error = refusal(call)
    where = address.split("@")[1].split("/")[0]
    told = f"connection promptcontent_etl: mongo at {where}: {text}"
    assert (type(error), str(error)[: len(told)]) == (kind, told)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda client: client["promptcontent"].command("no_such"), "look: mongo: OperationFailure, code 59"),
        (lambda client: client["promptcontent"].c.find_one({"$no": 1}), "look: mongo: OperationFailure, code 2"),
        (lambda client: client["other"].c.find_one(), "look: mongo: OperationFailure, code 13: the user has no right"),
        (lambda client: client["a b"].c.find_one(), "look: mongo: InvalidName, code none"),
    ],
)
def test_a_command_that_mongo_refuses(stack: Settings, call: Callable[[Any], Any], text: str) -> None:
    with mongo(stack, "promptcontent_etl") as client:

        def look() -> None:
            with mongo_errors("look"):
                call(client)

        error = refusal(look)
    assert (type(error), str(error)[: len(text)]) == (TerminalError, text)


@pytest.mark.parametrize(
    ("part", "by", "kind", "text"),
    [
        ("{password}", SECRET, ConfigError, "redis at 127.0.0.1:{redis}: AuthenticationError: login refused; correct"),
        (":{password}@", "", ConfigError, "redis at 127.0.0.1:{redis}: AuthenticationError: login refused; correct"),
        ("/0", "/999", TerminalError, "redis at 127.0.0.1:{redis}: ResponseError; check that"),
        (":{redis}", ":1", TransientError, "redis does not answer at 127.0.0.1:1: ConnectionError; it is tried"),
        (":{redis}", ":{mongo}", TransientError, "redis does not answer at 127.0.0.1:{mongo}: ConnectionError; it is"),
    ],
)  # fmt: skip
def test_redis(stack: Settings, part: str, by: str, kind: type[Exception], text: str) -> None:
    known = {"password": stack.secrets.password("redis"), **ports(stack)}
    address = stack.address("redis").replace(part.format(**known), by.format(**known))
    error = refusal(lambda: provision.check_keys(address))
    told = "check the key spaces: " + text.format(**known)
    assert (type(error), str(error)[: len(told)]) == (kind, told)


def test_a_command_that_redis_refuses(stack: Settings) -> None:
    with redis.Redis.from_url(stack.address("redis"), decode_responses=True) as client:

        def call() -> None:
            with redis_errors("look", client):
                client.execute_command("NO_SUCH")

        assert type(refusal(call)) is TerminalError
        client.execute_command("ACL", "SETUSER", "reader", "on", f">{SECRET}", "~*", "+ping")
        try:
            with redis.Redis.from_url(f"redis://reader:{SECRET}@127.0.0.1:{stack.port('redis')}/0") as reader:
                error = refusal(lambda: find_unexpected_keys(reader))
        finally:
            client.execute_command("ACL", "DELUSER", "reader")
    assert (type(error), "NoPermissionError: the user has no right to this" in str(error)) == (TerminalError, True)


@pytest.mark.parametrize("port", ["1", "{redis}", "{warehouse}"])
def test_kafka_that_is_none(stack: Settings, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setattr(topics, "_TIMEOUT_S", 0.5)
    where = f"127.0.0.1:{port.format(**ports(stack))}"
    error = refusal(lambda: topics.plan(topics.admin(where)))
    told = f"list topics: kafka does not answer at {where}: _TRANSPORT; it is tried again; if it stays so, check host"
    assert (type(error), str(error)[: len(told)]) == (TransientError, told)


def test_a_request_that_kafka_refuses(stack: Settings) -> None:
    change = topics.TopicChange(action="create", topic="a topic", what="x", partitions=1)
    error = refusal(lambda: topics.apply(topics.admin(stack.address("kafka")), [change]))
    assert (type(error), str(error)) == (TerminalError, "create topics: a topic: kafka: TOPIC_EXCEPTION")

    def call() -> None:
        with kafka_errors("send"):
            Producer({"bootstrap.servers": stack.address("kafka"), "no.such": SECRET})

    assert (type(error := refusal(call)), str(error)) == (TerminalError, "send: kafka: _INVALID_ARG")


class _Page(BaseHTTPRequestHandler):
    """A server that is something else: it answers everything, with one status and one body."""

    status, body, kind = 200, b"<html>", "text/html"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_PUT = do_PATCH = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def page() -> Iterator[tuple[type[_Page], str]]:
    kind = type("Page", (_Page,), {})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kind, f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (200, b"<html>", TerminalError, ": 200 with text/html in place of JSON: another server answers there; correct"),
        (404, b"<html>", TerminalError, ": 404 with text/html in place of JSON: another server answers there; correct"),
        (302, b"<html>", TerminalError, ": 302 with text/html in place of JSON: another server answers there; correct"),
        (401, b"{}", ConfigError, ": 401 Unauthorized: login refused; correct user and password in its address"),
        (403, b"{}", ConfigError, ": 403 Forbidden: login refused; correct user and password in its address"),
        (400, b"{}", TerminalError, ": 400 Bad Request"),
        (503, b"{}", TransientError, ": 503 Service Unavailable; it is tried again"),
        (500, b"{}", TransientError, ": 500 Internal Server Error; it is tried again"),
    ],
)  # fmt: skip
def test_connect(
    stack: Settings, page: tuple[type[_Page], str], status: int, body: bytes, kind: type[Exception], text: str
) -> None:
    page[0].status, page[0].body = status, body
    here = elsewhere(stack, "connect", f"http://user:{SECRET}@{page[1]}")
    error = refusal(lambda: connectors.read_status(here, "promptcrm"))
    told = f"kafka connect at http://{page[1]}: GET /connectors/promptcrm/status{text}"
    assert (type(error), str(error)[: len(told)]) == (kind, told)


@pytest.mark.parametrize(
    ("port", "kind", "text"),
    [
        ("1", TransientError, " does not answer (ConnectError); `promptsales status` shows the stack"),
        ("{warehouse}", TransientError, " does not answer (RemoteProtocolError); `promptsales status` shows the stack"),
    ],
)
def test_connect_that_is_none(stack: Settings, port: str, kind: type[Exception], text: str) -> None:
    where = f"http://127.0.0.1:{port.format(**ports(stack))}"
    error = refusal(lambda: connectors.read_status(elsewhere(stack, "connect", where), "promptcrm"))
    assert (type(error), str(error).startswith(f"kafka connect at {where}{text}")) == (kind, True)


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (200, b"<html>", TerminalError, ": 200 with text/html in place of JSON: another server answers there; correct"),
        (
            404,
            b"{}",
            TerminalError,
            " returned no token: the server there is not Airflow 3; correct airflow in PROMPTSALES_DSN",
        ),
        (
            200,
            b"[]",
            TerminalError,
            " returned no token: the server there is not Airflow 3; correct airflow in PROMPTSALES_DSN",
        ),
    ],
)
def test_airflow(page: tuple[type[_Page], str], status: int, body: bytes, kind: type[Exception], text: str) -> None:
    page[0].status, page[0].body = status, body
    with AirflowClient(f"http://admin:{SECRET}@{page[1]}", patience_s=0) as airflow:
        error = refusal(airflow.get_pools)
    told = f"airflow at http://{page[1]}: POST /auth/token{text}"
    assert (type(error), str(error)[: len(told)]) == (kind, told)


def test_airflow_that_speaks_tls_only_by_name() -> None:
    with AirflowClient(f"ftp://admin:{SECRET}@127.0.0.1:1", patience_s=0) as airflow:
        assert type(refusal(airflow.get_pools)) is TerminalError


@pytest.mark.parametrize(("name", "words"), [("warehouse", ["freshness"]), ("redis", ["provision", "--dry-run"])])
def test_a_command_says_it_in_one_line(stack: Settings, name: Literal["warehouse", "redis"], words: list[str]) -> None:
    """Also where the error comes out of a whole command."""
    address = stack.address(name).replace(str(stack.port(name)), "1")
    code = "import sys; from promptsales.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False,
        env={**environment(stack), f"PROMPTSALES_DSN__{name.upper()}": address},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip(), done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("error: ")
    assert "127.0.0.1:1" in done.stderr


def ports(stack: Settings) -> dict[str, str]:
    return {name: str(stack.port(name)) for name in ("warehouse", "redis", "mongo", "kafka")}


def environment(stack: Settings) -> dict[str, str]:
    chosen = {"PROMPTSALES_STATE": str(stack.state), "PROMPTSALES_PORT_BASE": str(stack.port_base)}
    return {**os.environ, **chosen}
