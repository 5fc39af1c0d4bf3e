"""The services' configuration files, commands and checks."""

import json
import subprocess
from pathlib import Path

import pytest

from local import mongo
from local.airflow import create_secrets
from local.redis import parse_version
from local.stack import SECRETS, services
from promptsales.errors import ConfigError
from promptsales.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(state=tmp_path)
    for name in SECRETS:
        settings.secrets.create(name)
    create_secrets(settings)
    return settings


def test_each_service_stands_after_its_needs(settings: Settings) -> None:
    earlier: set[str] = set()
    for service in services(settings):
        assert set(service.needs) <= earlier
        earlier.add(service.name)


def test_no_port_is_used_twice(settings: Settings) -> None:
    ports = [settings.port(name) for service in services(settings) for name in service.ports]
    assert len(set(ports)) == len(ports)


def test_no_secret_on_a_command_line(settings: Settings) -> None:
    commands = [word for service in services(settings) for program in service.programs() for word in program.command]
    secrets = [settings.secrets.password(name) for name in SECRETS]
    assert [word for word in commands if any(secret in word for secret in secrets)] == []


def test_our_processes_read_the_same_file_of_settings(settings: Settings, tmp_path: Path) -> None:
    programs = [program for service in services(settings) for program in service.programs()]
    assert not any("PROMPTSALES_SETTINGS" in program.environment for program in programs)
    (tmp_path / "settings.env").touch(mode=0o600)
    programs = [program for service in services(settings) for program in service.programs()]
    named = {program.name for program in programs if "PROMPTSALES_SETTINGS" in program.environment}
    assert named == {"airflow-api", "airflow-scheduler", "airflow-dags", "airflow-cleanup", "stream-0"}
    assert programs[-1].environment["PROMPTSALES_SETTINGS"] == str(tmp_path / "settings.env")


def test_every_server_listens_on_this_machine_only(settings: Settings) -> None:
    text = "".join(text for service in services(settings) for text in service.files().values())
    assert "0.0.0.0" not in text  # noqa: S104 - the address that must not be there


def test_mongo_configuration_is_a_replica_set_with_key(settings: Settings) -> None:
    options = json.loads(mongo.Mongo(settings).files()[settings.state / "conf" / "mongod.yml"])
    assert options["security"] == {"authorization": "enabled", "keyFile": str(settings.state / "conf" / "mongo.key")}
    assert options["replication"]["replSetName"] == "rs0"


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file"
    result = subprocess.CompletedProcess([], 127, stdout="", stderr=stderr)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: result)
    with pytest.raises(ConfigError, match=r"system library libcurl\.so\.4 "):
        mongo.check_mongod()


def test_redis_version() -> None:
    assert parse_version("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1") == (7, 0)
    assert parse_version("") == ()
