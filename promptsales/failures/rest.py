"""The failures of REST interfaces (Kafka Connect, Airflow) as our errors: by class and status."""

import ssl
from typing import Any

import httpx

from promptsales.errors import ConfigError, TerminalError, TransientError

# what a server says while it is overloaded, starts or stops; of Kafka Connect 409 while workers rebalance
_LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


def unreachable(what: str, address: str, error: httpx.HTTPError) -> TransientError | TerminalError:
    """Return our error for a call that brought no answer.

    Args:
        what: who was called, for the message.
        address: where, without user and password.
        error: the client's error.
    """
    kind = type(error).__name__
    if _is_certificate(error):
        return ConfigError(f"{what} at {address}: {kind}: its certificate is refused; correct the address, or trust it")
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        return TransientError(
            f"{what} at {address} does not answer ({kind}); `promptsales status` shows the stack; check host and port "
            "in its address"
        )
    return TerminalError(f"{what} at {address}: {kind}: what answers there speaks no HTTP that is understood")


def refused(what: str, answer: httpx.Response) -> TransientError | TerminalError:
    """Return our error for an answer that refuses a call; ``what`` names the call."""
    said = f"{what}: {answer.status_code} {answer.reason_phrase}"
    if answer.status_code in _LATER:
        return TransientError(f"{said}; it is tried again")
    if answer.status_code in (401, 403):
        return ConfigError(f"{said}: login refused; correct user and password in its address")
    return TerminalError(said)


def read_json(what: str, answer: httpx.Response) -> Any:
    """Return the JSON of an answer, an empty object where it has no body.

    Raises:
        TerminalError: when it is no JSON: another server answers at this address.
    """
    try:
        return answer.json() if answer.content else {}
    except ValueError:
        kind = answer.headers.get("content-type", "no content type")
        raise TerminalError(
            f"{what}: {answer.status_code} with {kind} in place of JSON: another server answers there; "
            "correct the address"
        ) from None


def _is_certificate(error: BaseException | None) -> bool:
    """Whether a failure comes from a certificate that is not trusted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
