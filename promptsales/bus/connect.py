"""The REST API of Kafka Connect: one client, and the calls that create and configure connectors."""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from promptsales.addresses import split_login
from promptsales.certificates import trusted
from promptsales.errors import TerminalError
from promptsales.failures import rest
from promptsales.settings import Settings

_TIMEOUT_S = 30
_ATTEMPTS, _PAUSE_S = 30, 0.5


def client_of(settings: Settings) -> httpx.Client:
    """Return a client of Kafka Connect at the address of the settings."""
    address, login = split_login(settings.address("connect"))
    return httpx.Client(base_url=address, auth=login, timeout=_TIMEOUT_S, trust_env=False, verify=trusted())


def put(client: httpx.Client, connector: str, config: dict[str, str]) -> None:
    """Create or configure a connector, once Connect has validated the configuration.

    Raises:
        TransientError: when nothing answers.
        TerminalError: when Connect refuses a setting; the message names it.
    """
    _validate(client, connector, config)
    call(client, "PUT", f"/connectors/{connector}/config", config)


def create_stopped(client: httpx.Client, connector: str, config: dict[str, str]) -> None:
    """Create a connector that does not run: Connect deletes the offsets of a deleted connector only for a stopped one.

    Raises:
        TransientError: when nothing answers.
        TerminalError: when Connect refuses a setting; the message names it.
    """
    _validate(client, connector, config)
    call(client, "POST", "/connectors", {"name": connector, "config": config, "initial_state": "STOPPED"})


def _validate(client: httpx.Client, connector: str, config: dict[str, str]) -> None:
    kind = config["connector.class"].rpartition(".")[2]
    answer = call(client, "PUT", f"/connector-plugins/{kind}/config/validate", {"name": connector, **config})
    judged = [item["value"] for item in (answer or {}).get("configs", []) if item["value"]]
    if wrong := {value["name"]: value["errors"] for value in judged if value["errors"]}:
        reasons = "; ".join(f"{name}: {', '.join(errors)}" for name, errors in wrong.items())
        raise TerminalError(f"connector {connector}: kafka connect refuses {reasons}")


def call(
    client: httpx.Client, method: str, path: str, body: Mapping[str, Any] | None = None, patience: bool = False
) -> Any:
    """Send one request and return its JSON; None for 404. Requests are repeated while Connect rebalances.

    Raises:
        TransientError: when nothing answers, or Connect is overloaded or keeps rebalancing.
        ConfigError: when the login is refused.
        TerminalError: when Connect refuses the call, or another server answers.
    """
    what = f"kafka connect at {client.base_url}: {method} {path}"
    for attempt in range(_ATTEMPTS):
        try:
            answer = client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise rest.unreachable("kafka connect", str(client.base_url), error) from None
        busy = answer.status_code == httpx.codes.CONFLICT or (patience and answer.is_error)
        if not busy or attempt == _ATTEMPTS - 1:
            break
        time.sleep(_PAUSE_S)
    if answer.status_code == httpx.codes.NOT_FOUND:
        rest.read_json(what, answer)  # Connect's own answer; another server's is none
        return None
    if answer.is_error:
        raise rest.refused(what, answer)
    return rest.read_json(what, answer)
