"""Kafka Connect and Airflow refuse a call, or another server answers: each failure is transient or terminal."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from promptsales.airflow_client.api import AirflowClient
from promptsales.errors import ConfigError, TerminalError, TransientError
from promptsales.settings import Settings
from promptsales.stream import connectors
from tests.support.refusals import SECRET, error_of, ports, with_address


class _Page(BaseHTTPRequestHandler):
    """A server that answers every request with the same status and body."""

    status, body, kind = 200, b"<html>", "text/html"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_PUT = do_PATCH = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def page() -> Iterator[tuple[type[_Page], str]]:
    handler = type("Page", (_Page,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (200, b"<html>", TerminalError, ": 200 with text/html, expected JSON: another server answers there; correct"),
        (404, b"<html>", TerminalError, ": 404 with text/html, expected JSON: another server answers there; correct"),
        (302, b"<html>", TerminalError, ": 302 with text/html, expected JSON: another server answers there; correct"),
        (401, b"{}", ConfigError, ": 401 Unauthorized: the server refuses user user or the password; correct them in"),
        (403, b"{}", ConfigError, ": 403 Forbidden: the server refuses user user or the password; correct them in"),
        (400, b"{}", TerminalError, ": 400 Bad Request"),
        (503, b"{}", TransientError, ": 503 Service Unavailable; a retry may succeed"),
        (500, b"{}", TransientError, ": 500 Internal Server Error; a retry may succeed"),
    ],
)  # fmt: skip
def test_connect(
    stack: Settings, page: tuple[type[_Page], str], status: int, body: bytes, kind: type[Exception], text: str
) -> None:
    page[0].status, page[0].body = status, body
    settings = with_address(stack, "connect", f"http://user:{SECRET}@{page[1]}")
    error = error_of(lambda: connectors.read_status(settings, "promptcrm"))
    message = f"kafka connect at http://{page[1]}: GET /connectors/promptcrm/status{text}"
    assert (type(error), str(error)[: len(message)]) == (kind, message)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("127.0.0.1:1", ": ConnectError: 127.0.0.1:1 refuses the connection, as nothing listens on that port; start"),
        ("no.invalid:1", ": ConnectError: host no.invalid is unknown, for port 1; correct the host in PROMPTSALES_DSN"),
        (
            "255.255.255.255:1",
            ": ConnectError: 255.255.255.255:1 is unreachable; check network and firewall, or correct",
        ),
        ("127.0.0.1:{warehouse}", ": RemoteProtocolError: 127.0.0.1:{warehouse} does not answer as kafka connect; che"),
    ],
)
def test_connect_does_not_answer(stack: Settings, place: str, text: str) -> None:
    url = f"http://{place.format(**ports(stack))}"
    error = error_of(lambda: connectors.read_status(with_address(stack, "connect", url), "promptcrm"))
    message = f"kafka connect at {url}{text.format(**ports(stack))}"
    assert (type(error), str(error)[: len(message)]) == (TransientError, message)


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (200, b"<html>", TerminalError, ": 200 with text/html, expected JSON: another server answers there; correct"),
        (404, b"{}", TerminalError, " returned no token: the server there is not Airflow 3; correct airflow"),
        (200, b"[]", TerminalError, " returned no token: the server there is not Airflow 3; correct airflow"),
    ],
)
def test_airflow(page: tuple[type[_Page], str], status: int, body: bytes, kind: type[Exception], text: str) -> None:
    page[0].status, page[0].body = status, body
    with AirflowClient(f"http://admin:{SECRET}@{page[1]}", patience_s=0) as airflow:
        error = error_of(airflow.get_pools)
    message = f"airflow at http://{page[1]}: POST /auth/token{text}"
    assert (type(error), str(error)[: len(message)]) == (kind, message)


def test_airflow_at_a_url_of_another_protocol() -> None:
    with AirflowClient(f"ftp://admin:{SECRET}@127.0.0.1:1", patience_s=0) as airflow:
        assert type(error_of(airflow.get_pools)) is TerminalError
