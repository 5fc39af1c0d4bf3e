"""Say why a server does not answer: asks the network itself, because drivers word it differently or not at all."""

import re
import socket
from typing import NamedTuple

_TIMEOUT_S = 3.0
_HOST = re.compile(r"(?P<host>.*?)(?::(?P<port>\d+))?")
LOCAL = "start it with `promptsales up`"


class Server(NamedTuple):
    """What a message may say of a server.

    Attributes:
        kind: what it should be, such as ``PostgreSQL``.
        hosts: hosts and ports, with commas between them.
        port: the port of a host that names none.
        user: the login's name, empty for none.
        where: the setting or Airflow connection that holds the address; empty for the local stack.
        is_asked: whether the hosts may be asked; not when they are looked up in the DNS (``mongodb+srv``).
    """

    kind: str
    hosts: str
    port: int
    user: str = ""
    where: str = ""
    is_asked: bool = True

    def __str__(self) -> str:
        return self.hosts + (f", user {self.user}" if self.user else "")

    def correct(self, what: str) -> str:
        """Return where to correct a part of the address."""
        return f"correct {what} in {self.where}" if self.where else "run `promptsales provision`"


def accepts(server: Server) -> bool:
    """Return whether the first host accepts a connection."""
    return _ask(*_split(server.hosts.split(",")[0], server.port)) == ""


def why_silent(server: Server) -> str:
    """Return why a server does not answer, and what to do."""
    hosts = [_split(host, server.port) for host in server.hosts.split(",")]
    causes = [cause for host, port in hosts if (cause := _ask(host, port) if server.is_asked else "")]
    user = f" (user {server.user})" if server.user else ""
    if len(causes) < len(hosts):
        check = (
            f"check host, port and TLS in {server.where}" if server.where else "`promptsales status` shows the stack"
        )
        return f"{server.hosts}{user} does not answer as {server.kind}; {check}, or retry later"
    return f"{', '.join(causes)}{user}; {_remedy(server, causes[0])}"


def _split(text: str, port: int) -> tuple[str, int]:
    found = _HOST.fullmatch(text.strip())
    host, own = (found["host"], found["port"]) if found else (text, None)
    return host.strip("[]"), int(own or port)


def _ask(host: str, port: int) -> str:
    """Return why nothing can connect to a port; empty when something can, or the host is a socket's folder."""
    if host.startswith("/") or host == "local socket":
        return ""
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_S).close()
    except socket.gaierror:
        return f"host {host} is unknown, for port {port}"
    except ConnectionRefusedError:
        return f"{host}:{port} refuses the connection, as nothing listens on that port"
    except OSError:
        return f"{host}:{port} is unreachable"
    return ""


def _remedy(server: Server, cause: str) -> str:
    if not server.where:
        return LOCAL
    if "unknown" in cause:
        return server.correct("the host")
    if "refuses" in cause:
        return f"start the server (`promptsales up` starts the local ones), or {server.correct('the port')}"
    return f"check network and firewall, or {server.correct('the host')}"
