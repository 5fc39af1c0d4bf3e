"""Kafka Connect answers nobody without a login, and gives no secret or file even to somebody who has one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from promptsales.addresses import split_login
from promptsales.settings import HOST, Settings

PLUGIN = "PostgresConnector"
CLASS = "io.debezium.connector.postgresql.PostgresConnector"


@pytest.fixture
def stranger(stack: Settings) -> Iterator[httpx.Client]:
    """Another process of this machine, without credentials."""
    with httpx.Client(base_url=f"http://{HOST}:{stack.port('connect')}", trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def insider(stack: Settings) -> Iterator[httpx.Client]:
    """Somebody who holds the login of Kafka Connect's REST API."""
    address, login = split_login(stack.address("connect"))
    with httpx.Client(base_url=address, auth=login, trust_env=False, timeout=30) as client:
        yield client


def config(stack: Settings, **options: str) -> dict[str, Any]:
    return {
        "name": "attack", "connector.class": CLASS, "topic.prefix": "attack", "plugin.name": "pgoutput",
        "slot.name": "attack", "publication.autocreate.mode": "disabled", "tasks.max": "1",
        "database.hostname": HOST, "database.port": str(stack.port("sources")), "database.dbname": "promptcrm",
        "database.user": "cdc", **options,
    }  # fmt: skip


def validate(client: httpx.Client, options: dict[str, Any]) -> httpx.Response:
    return client.put(f"/connector-plugins/{PLUGIN}/config/validate", json=options)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/connectors"), ("GET", "/connectors/promptcrm/config"), ("GET", "/admin/loggers"), ("GET", "/health"),
     ("POST", "/connectors"), ("DELETE", "/connectors/attack"),
     ("PUT", f"/connector-plugins/{PLUGIN}/config/validate")],
)  # fmt: skip
def test_nobody_is_answered_without_a_login(stranger: httpx.Client, method: str, path: str) -> None:
    assert stranger.request(method, path, json={}).status_code == httpx.codes.UNAUTHORIZED


def test_a_request_resolves_no_password(stack: Settings, insider: httpx.Client) -> None:
    logins = stack.state / "conf" / "connect.logins"
    assert stack.secrets.password("connect") in logins.read_text()
    secrets = stack.state / "secrets"
    for reference in ("${env:PGPASSFILE}", f"${{file:{logins}:promptsales}}", f"${{directory:{secrets}:cdc}}"):
        answer = validate(insider, config(stack, **{"database.user": reference, "database.password": "wrong"}))
        assert answer.status_code == httpx.codes.OK
        assert [name for name in ("cdc", "connect") if stack.secrets.password(name) in answer.text] == []
        # the reference itself, unresolved, in PostgreSQL's refusal; a name has at most 63 characters there
        assert reference[:63] in answer.text


@pytest.mark.parametrize(
    "options",
    [{"bootstrap.servers": "127.0.0.1:1"},
     {"config.providers": "file", "config.providers.file.class":
      "org.apache.kafka.common.config.provider.FileConfigProvider", "client.id": "${file:/etc/passwd:root}"},
     {"sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required;"}],
    ids=["other brokers", "a file", "another login"],
)  # fmt: skip
def test_a_connector_overrides_no_more_than_it_needs(
    stack: Settings, insider: httpx.Client, options: dict[str, str]
) -> None:
    overrides = {f"producer.override.{name}": value for name, value in options.items()}
    answer = validate(insider, config(stack, **overrides)).json()
    values = [item["value"] for item in answer["configs"] if item["value"]]
    errors = {value["name"]: value["errors"] for value in values if value["errors"]}
    assert {name: errors.get(f"producer.override.{name}") for name in options} == {
        name: [f"The 'Allowlist' policy does not allow '{name}' to be overridden in the connector configuration."]
        for name in options
    }


def test_its_files_are_its_own(stack: Settings) -> None:
    names = {path.name: path.stat().st_mode & 0o777 for path in Path(stack.state / "conf").iterdir() if path.is_file()}
    assert {name for name, mode in names.items() if mode & 0o077} == set()
    assert {
        "connect.properties",
        "connect.jaas",
        "connect.logins",
        "connect.pgpass",
        "kafka.properties",
    } <= names.keys()
