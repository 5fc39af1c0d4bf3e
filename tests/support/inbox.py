"""A mail server and a web server in the test's process, which keep what they receive."""

import base64
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

PATIENCE_S = 180


MAIL_PASSWORD = "a-password-of-the-mail-server"
WEB_TOKEN = "a-token-of-the-web-server"
_LOGIN = f"AUTH PLAIN {base64.b64encode(f'{chr(0)}pipeline{chr(0)}{MAIL_PASSWORD}'.encode()).decode()}"
_REPLIES = {"EHLO": "250-inbox\r\n250 AUTH PLAIN", "QUIT": "221 bye", "DATA": "354 go on"}


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 and RFC 4954 as a client needs to log in and deliver a mail."""

    def handle(self) -> None:
        self._say("220 inbox")
        is_logged_in = False
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            is_logged_in = is_logged_in or line == _LOGIN
            if verb not in ("EHLO", "QUIT") and not is_logged_in:
                self._say("535 log in first")
                continue
            self._say(_REPLIES.get(verb, "235 ok" if verb == "AUTH" else "250 ok"))
            if verb == "DATA":
                self._receive()
            if verb == "QUIT":
                return

    def _receive(self) -> None:
        body = b"".join(iter(self.rfile.readline, b".\r\n"))
        self.server.mails.append(message_from_bytes(body, policy=policy.default))  # type: ignore[attr-defined]
        self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Http(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the tests look at what was posted."""


class _Mailbox(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Inbox:
    """The addresses of both servers, and what they received."""

    def __init__(self, mail: _Mailbox, web: HTTPServer) -> None:
        self.mails: list[EmailMessage] = []
        self.posts: list[dict[str, str]] = []
        mail.mails, web.posts = self.mails, self.posts  # type: ignore[attr-defined]
        self.mail_address = mail_address(mail.server_address[1])
        self.web_address = web_address(web.server_address[1])

    def wait_for(self, is_it: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """Return the first post for which ``is_it`` holds, waiting for it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if matching := [post for post in list(self.posts) if is_it(post)]:
                return matching[0]
            time.sleep(0.2)
        raise AssertionError(f"no such alert among {self.posts}")


def mail_address(port: int) -> str:
    """The mail server's address in the form of the setting."""
    options = "from_email=pipeline@x.example&to_email=ops@x.example&disable_ssl=true&disable_tls=true"
    return f"smtp://pipeline:{MAIL_PASSWORD}@127.0.0.1:{port}/?{options}"


def web_address(port: int) -> str:
    """The web server's address in the form of the setting."""
    return f"http://127.0.0.1:{port}/{WEB_TOKEN}"


@contextmanager
def inbox(mail_port: int = 0, web_port: int = 0) -> Iterator[Inbox]:
    """Run both servers, on these ports or on free ones."""
    with _Mailbox(("127.0.0.1", mail_port), _Smtp) as mail, HTTPServer(("127.0.0.1", web_port), _Http) as web:
        servers = (mail, web)
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Inbox(mail, web)
        finally:
            for server in servers:
                server.shutdown()
