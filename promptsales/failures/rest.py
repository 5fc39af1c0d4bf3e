"""Translate the failures of REST APIs (Kafka Connect, Airflow), by class and status."""

import base64
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

from promptsales.errors import ConfigError, TerminalError, TransientError
from promptsales.failures.reach import Server, why_silent

# answers of a server that is overloaded, starting or stopping; Kafka Connect answers 409 while its workers rebalance
_LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


def unreachable(what: str, address: str, error: httpx.HTTPError) -> TransientError | TerminalError:
    """Return our error for a call without an answer.

    Args:
        what: the server that was called, for the message.
        address: its URL without user and password.
        error: the client's error.
    """
    kind = type(error).__name__
    if _is_certificate(error):
        return ConfigError(
            f"{what} at {address}: {kind}: its certificate is not trusted; correct the address, or trust it"
        )
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        url = urlsplit(address)
        hosts, port = url.netloc, 443 if url.scheme == "https" else 80
        return TransientError(f"{what} at {address}: {kind}: {why_silent(Server(what, hosts, port, '', _where(what)))}")
    return TerminalError(
        f"{what} at {address}: {kind}: the server does not speak HTTP as expected; correct the address"
    )


def refused(what: str, answer: httpx.Response) -> TransientError | TerminalError:
    """Return our error for an answer that refuses the call ``what``."""
    message = f"{what}: {answer.status_code} {answer.reason_phrase}"
    if answer.status_code in _LATER:
        return TransientError(f"{message}; a retry may succeed")
    if answer.status_code in (401, 403):
        user = _user_of(answer.request)
        return ConfigError(f"{message}: the server refuses {user} or the password; correct them in {_where(what)}")
    return TerminalError(message)


def read_json(what: str, answer: httpx.Response) -> Any:
    """Return the JSON of an answer, or an empty object when it has no body.

    Raises:
        TerminalError: when the body is not JSON.
    """
    try:
        return answer.json() if answer.content else {}
    except ValueError:
        kind = answer.headers.get("content-type", "no content type")
        raise TerminalError(
            f"{what}: {answer.status_code} with {kind}, expected JSON: another server answers there; "
            "correct the address"
        ) from None


def _where(what: str) -> str:
    """Return the setting that holds the address of the server which ``what`` begins with."""
    return f"PROMPTSALES_DSN__{'AIRFLOW' if what.startswith('airflow') else 'CONNECT'}"


def _user_of(request: httpx.Request) -> str:
    """Return the user of a request with basic authentication, for messages."""
    scheme, _, login = request.headers.get("authorization", "").partition(" ")
    return f"user {base64.b64decode(login).decode().partition(':')[0]}" if scheme == "Basic" else "the user"


def _is_certificate(error: BaseException | None) -> bool:
    """Return whether a certificate that is not trusted caused the failure."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
