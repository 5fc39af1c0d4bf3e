"""The stack in containers equals the local stack: same services, versions, ports and settings. Parsed, not started."""

import configparser
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, get_args

import pytest
import yaml

from local.airflow import COMPONENTS, create_secrets
from local.connect import Connect
from local.kafka import LOG4J, jvm, kafka_version
from local.stack import SECRETS, services
from promptsales.settings import ROOT, Settings
from promptsales.targets import Port

DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# services that the local stack does not run: the shared network, two preparations, the command line
DOCKER_ONLY = {"net", "files", "servers", "promptsales"}
# part of no stack: started where it is wanted
APART = {"superset"}

Parse = Callable[[str], dict[str, Any]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(state=tmp_path, port_base=Settings.model_fields["port_base"].default)
    for name in SECRETS:
        settings.secrets.create(name)
    create_secrets(settings)
    return settings


def pairs(separator: str) -> Parse:
    def parse(text: str) -> dict[str, Any]:
        lines = [line.split(separator, 1) for line in text.splitlines() if line and not line.startswith("#")]
        return {key.strip(): value.strip().strip("'\"") for key, value in lines}

    return parse


def lines_of(text: str) -> dict[str, Any]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {str(number): line for number, line in enumerate(lines)}


def flat(text: str) -> dict[str, Any]:
    """Return the leaves of a YAML document by path."""

    def leaves(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            return {path: value}
        return {key: leaf for name, inner in value.items() for key, leaf in leaves(inner, f"{path}.{name}").items()}

    return leaves(yaml.safe_load(text), "")


def differing(local: Mapping[str, Any], docker: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    both = local.keys() | docker.keys()
    return {key: (local.get(key), docker.get(key)) for key in both if local.get(key) != docker.get(key)}


# file -> (service, the local file, its parser, expected differences: local and here)
CONF: dict[str, tuple[str, str, Parse, dict[str, tuple[Any, Any]]]] = {
    "sources.hba": ("sources", "data/sources.hba", lines_of, {}),
    "sources.conf": ("sources", "data/sources.conf", pairs("="), {
        "hba_file": ("STATE/data/sources.hba", "/etc/promptsales/sources.hba"),
        "listen_addresses": ("127.0.0.1", "*"), "unix_socket_directories": ("", "/var/run/postgresql"),
    }),
    "warehouse.hba": ("warehouse", "data/warehouse.hba", lines_of, {}),
    "warehouse.conf": ("warehouse", "data/warehouse.conf", pairs("="), {
        "hba_file": ("STATE/data/warehouse.hba", "/etc/promptsales/warehouse.hba"),
        "listen_addresses": ("127.0.0.1", "*"), "unix_socket_directories": ("", "/var/run/postgresql"),
    }),
    "mongod.yml": ("mongo", "conf/mongod.yml", flat, {
        ".net.bindIp": ("127.0.0.1", "0.0.0.0"),  # noqa: S104 -- of the container
        ".storage.dbPath": ("STATE/data/mongo", "/data/db"),
        ".security.keyFile": ("STATE/conf/mongo.key", "/tmp/mongo.key"),  # noqa: S108 -- of the container
    }),
    "redis.conf": ("redis", "conf/redis.conf", pairs(" "), {
        "dir": ("STATE/data/redis", "/data"), "requirepass": ("SECRET", None),
    }),
    "kafka.properties": ("kafka", "conf/kafka.properties", pairs("="), {
        "log.dirs": ("STATE/data/kafka", "/var/lib/kafka/data"),
    }),
    "connect.properties": ("connect", "conf/connect.properties", pairs("="), {
        "plugin.path": (str(ROOT / ".venv" / "jars" / "plugins"), "/opt/plugins"),
    }),
}  # fmt: skip


@pytest.mark.parametrize("file", CONF)
def test_a_server_has_its_local_configuration(settings: Settings, file: str) -> None:
    name, path, parse, allowed = CONF[file]
    service = next(service for service in services(settings) if service.name == name)
    text = service.files()[settings.state / path].replace(str(settings.state), "STATE")
    text = text.replace(settings.secrets.password("redis"), "SECRET")
    # compose.yml appends these lines from the generated file, because they hold passwords
    local = parse("\n".join(line for line in text.splitlines() if "jaas" not in line))
    lines = (DOCKER / "conf" / file).read_text(encoding="utf-8").splitlines()
    assert differing(local, parse("\n".join(lines))) == allowed
    mounts = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES[name]["volumes"]}
    assert mounts[f"/etc/promptsales/{file}"] == f"./conf/{file}"
    # no line is superfluous: without it, the comparison above fails
    for number, line in enumerate(lines):
        if not line.startswith("#") and not line.endswith(":"):
            assert differing(local, parse("\n".join(lines[:number] + lines[number + 1 :]))) != allowed, line


def test_the_same_services(settings: Settings) -> None:
    programs = {program.name: program.command for service in services(settings) for program in service.programs()}
    assert SERVICES.keys() - DOCKER_ONLY - APART == programs.keys()
    for name in {*COMPONENTS, "stream-0"}:
        assert SERVICES[name]["command"] == ["python", *programs[name][1:]]
    ours = DOCKER_ONLY | {*COMPONENTS, "stream-0"}
    assert {SERVICES[name]["image"] for name in ours} == {"promptsales/pipeline"}


def test_the_same_versions() -> None:
    # test_known_holes.py compares those of the databases, whose images have fixes that the wheels lack
    kafka = f"apache/kafka:{kafka_version()}"
    assert SERVICES["kafka"]["image"] == kafka
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    stages = re.findall(r"^FROM (\S+) AS (\w+)$", text, re.M)
    assert stages == [("${PYTHON_IMAGE}", "pipeline"), ("${KAFKA_IMAGE}", "connect"), ("${SUPERSET_IMAGE}", "superset")]
    images = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.M))
    pins = (ROOT / "bi" / "requirements.txt").read_text(encoding="utf-8")
    (superset,) = re.findall(r"^apache-superset==(\S+)", pins, re.M)
    assert images == {
        "PYTHON_IMAGE": images["PYTHON_IMAGE"],
        "KAFKA_IMAGE": kafka,
        "SUPERSET_IMAGE": f"apache/superset:{superset}",
    }
    assert images["PYTHON_IMAGE"].startswith(f"python:{sys.version_info.major}.{sys.version_info.minor}.")
    assert SERVICES["connect"]["build"]["target"] == "connect"


def test_the_build_sees_every_folder_that_it_names() -> None:
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    named = {*re.findall(r"^COPY (?:--chown=\w+ )?([a-z_]+) /", text, re.M)}
    for compiled in re.findall(r"compileall -q ([a-z_ ]+)$", text, re.M):
        named |= set(compiled.split())
    rules = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert named >= {"bi", "dags", "plugins"}
    assert named <= {rule[1:] for rule in rules if rule.startswith("!")}


def test_ports_are_on_this_machine_only_and_those_of_the_settings(settings: Settings) -> None:
    used_inside_only: set[Port] = {"redis", "kafka", "kafka_controller", "connect", "stream"}
    expected = {settings.port(name) for name in get_args(Port) if name not in used_inside_only}
    assert SERVICES["net"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in sorted(expected)]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["net"]


def test_the_ports_of_health_checks_and_commands_are_known(settings: Settings) -> None:
    known = {str(settings.port(name)) for name in get_args(Port)}
    assert set(re.findall(r"\b21\d{3}\b", (DOCKER / "compose.yml").read_text(encoding="utf-8"))) <= known
    assert {name: SERVICES[name]["environment"]["PGPORT"] for name in ("sources", "warehouse")} == {
        "sources": str(settings.port("sources")), "warehouse": str(settings.port("warehouse")),
    }  # fmt: skip


def test_whatever_stays_up_has_a_health_check_and_its_data_a_volume() -> None:
    staying = {name for name, service in SERVICES.items() if service.get("restart") == "unless-stopped"}
    assert staying == SERVICES.keys() - DOCKER_ONLY | {"net"}
    assert {name for name in staying if "healthcheck" not in SERVICES[name]} == {"net"}
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {name for name in used if not name.startswith(".")} == COMPOSE["volumes"].keys()
    for service in SERVICES.values():
        assert service.get("depends_on", {}).keys() <= SERVICES.keys()


def test_the_clusters_and_the_jvms_begin_as_they_do_locally(settings: Settings) -> None:
    local = (ROOT / "local" / "postgres.py").read_text(encoding="utf-8")
    for name in ("sources", "warehouse"):
        words = SERVICES[name]["environment"]["POSTGRES_INITDB_ARGS"].split()
        assert words == ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                         "--auth=scram-sha-256"]  # fmt: skip
        assert all(f'"{word}"' in local for word in words)
    expected = {option for option in jvm(384, settings.state) if option.startswith(("-X", "-Djava.awt", "-Dorg"))}
    for name in ("kafka", "connect"):
        environment = SERVICES[name]["environment"]
        options = f"{environment['KAFKA_HEAP_OPTS']} {environment['KAFKA_JVM_PERFORMANCE_OPTS']}"
        assert set(options.split()) == expected
        assert f"../{LOG4J.relative_to(ROOT)}:/etc/promptsales/{LOG4J.name}:ro" in SERVICES[name]["volumes"]
        appended = f"cat /etc/promptsales/{name}.properties && grep jaas /state/conf/{name}.properties"
        assert appended in " ".join(SERVICES[name]["entrypoint"])
    (program,) = Connect(settings).programs()
    (login,) = (option for option in program.command if option.startswith("-Djava.security"))
    expected_of_connect = {"KAFKA_OPTS": login, **program.environment}
    given = {key: SERVICES["connect"]["environment"][key] for key in expected_of_connect}
    assert given == {key: value.replace(str(settings.state), "/state") for key, value in expected_of_connect.items()}


def test_what_is_prepared_before_the_start(tmp_path: Path) -> None:
    command = [sys.executable, str(DOCKER / "prepare.py"), "files"]
    environment = {**os.environ, "PROMPTSALES_STATE": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment["PROMPTSALES_PORT_BASE"] = "21000"
    secrets = []
    for _ in range(2):
        subprocess.run(command, env=environment, cwd=tmp_path, check=True)
        secrets.append({path: path.read_text() for path in sorted((tmp_path / "secrets").iterdir())})
    assert secrets[0] == secrets[1]
    users = {"airflow_admin", "airflow_editor", "airflow_viewer"}
    assert {path.name for path in secrets[0]} == {*SECRETS, "airflow_fernet", "superset_key", "superset_admin", *users}
    config = configparser.RawConfigParser()
    config.read(tmp_path / "data" / "airflow" / "airflow.cfg")
    assert config["api"]["base_url"] == "http://127.0.0.1:21007"
    login = tmp_path / "conf" / "airflow.passwords.json"
    assert json.loads(login.read_text()) == {
        user: (tmp_path / "secrets" / f"airflow_{user}").read_text() for user in ("admin", "editor", "viewer")
    }
    assert login.stat().st_mode & 0o077 == 0


@pytest.fixture
def page() -> Iterator[tuple[str, dict[str, Any]]]:
    """Serve a dict as JSON; yield the address and the dict."""
    content: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", content
        server.shutdown()


def health(*arguments: str, **environment: str) -> tuple[int, str]:
    command = [sys.executable, str(DOCKER / "health.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout


def test_the_health_check_reads_the_page_of_airflow(page: tuple[str, dict[str, Any]]) -> None:
    url, content = page
    content |= {"scheduler": {"status": "healthy"}, "dag_processor": {"status": "unhealthy"}}
    # a proxy of the settings is not asked
    assert health(url, "scheduler", http_proxy="http://127.0.0.1:1") == (0, "scheduler is healthy\n")
    assert health(url, "dag_processor") == (1, "dag_processor is unhealthy\n")


def test_the_health_check_of_a_service_that_does_not_run(tmp_path: Path) -> None:
    code, output = health("http://127.0.0.1:1/", "scheduler")
    assert (code, output.startswith("http://127.0.0.1:1/ does not answer: ")) == (1, True)
    for name in SECRETS:
        Settings(state=tmp_path).secrets.create(name)
    # without a warehouse, nobody knows whether the worker may wait
    code, output = health(
        "http://127.0.0.1:1/", "stream", PROMPTSALES_STATE=str(tmp_path), PROMPTSALES_PORT_BASE="2000"
    )
    assert (code, output) == (0, "waits for `promptsales provision`\n")
