"""What docker/compose.yml gives to a container that is broken into: nothing that its work does not need."""

import copy
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from local.airflow import COMPONENTS
from promptsales.secrets import Secrets
from promptsales.settings import ROOT
from tests.unit.docker.test_compose import COMPOSE, DOCKER

Services = dict[str, dict[str, Any]]

PREPARE = runpy.run_path(str(DOCKER / "prepare.py"))
# who mounts every password and key, and why
ALL_SECRETS = {
    "files": "It generates them, and hands them out.",
    "servers": "It creates the users of MongoDB, of Kafka and of Airflow's database, as administrator.",
    "promptsales": "The operator's command line: it connects under every name, and rotates keys. It runs on demand.",
}
# the containers that read a folder that prepare.py fills
READERS = {
    "postgres": {"sources", "warehouse"},
    "mongo": {"mongo"},
    "redis": {"redis"},
    "kafka": {"kafka"},
    "connect": {"connect"},
    "stream": {"stream-0"},
    "tasks": {"airflow-scheduler"},
    "superset": {"superset"},
}
# the containers that fill them
WRITERS = {folder: {"files"} for folder in READERS} | {"tasks": {"files", "promptsales"}}
# where they are: our own code looks for secrets below the state folder, Kafka and Connect for their configuration
PLACES = dict.fromkeys(READERS, "/run/secrets:ro")
PLACES |= dict.fromkeys(("stream", "tasks"), "/state/secrets:ro") | dict.fromkeys(
    ("kafka", "connect"), "/state/conf:ro"
)


def faults(services: Services) -> Iterator[str]:
    """Yield what is wrong with each service, in words."""
    for name, service in services.items():
        if service.get("security_opt") != ["no-new-privileges:true"]:
            yield f"{name} may gain privileges"
        if service.get("cap_drop") != ["ALL"] or service.keys() & {"cap_add", "privileged", "devices"}:
            yield f"{name} keeps capabilities"
        if service.get("user", "root").partition(":")[0] in {"root", "0"}:
            yield f"{name} runs as root"
        if not service.get("read_only"):
            yield f"{name} may change its image's files"
        if service.keys() & {"pid", "ipc", "userns_mode"}:
            yield f"{name} shares more than the network"
        yield from _faults_of_network(name, service)
        yield from _faults_of_mounts(name, service)


def _faults_of_network(name: str, service: dict[str, Any]) -> Iterator[str]:
    mode, networks = service.get("network_mode"), service.get("networks")
    if (mode, networks) != ((None, ["stack"]) if name == "net" else ("service:net", None)):
        yield f"{name} is on another network"
    for port in service.get("ports", ()):
        if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port):
            yield f"{name} publishes {port} to other machines"


def _faults_of_mounts(name: str, service: dict[str, Any]) -> Iterator[str]:
    for volume in service.get("volumes", ()):
        source, _, target = volume.partition(":")
        if source == "secrets" and name not in ALL_SECRETS:
            yield f"{name} mounts every secret"
        folder = source.removeprefix("secrets-of-")
        if folder != source and name not in READERS[folder] | WRITERS[folder]:
            yield f"{name} mounts the secrets of another"
        is_file = source.startswith(("./conf/", "../local/")) and target.endswith(":ro")
        if not is_file and source not in COMPOSE["volumes"]:
            yield f"{name} mounts {source} of this machine"


def test_no_container_has_more_than_its_work_needs() -> None:
    assert list(faults(COMPOSE["services"])) == []


def test_whoever_mounts_every_secret_is_named_with_a_reason() -> None:
    mounting = {
        name for name, service in COMPOSE["services"].items()
        if any(volume.startswith("secrets:") for volume in service.get("volumes", ()))
    }  # fmt: skip
    assert mounting == ALL_SECRETS.keys()


def test_each_folder_of_secrets_is_a_volume_of_its_readers() -> None:
    assert READERS.keys() == {*PREPARE["HANDED_OUT"], *(each.name for each in PREPARE["CONFIGURED"]), "superset"}
    for folder, readers in READERS.items():
        mounts = {
            name: volume.partition(":")[2]
            for name, service in COMPOSE["services"].items()
            for volume in service.get("volumes", ())
            if volume.startswith(f"secrets-of-{folder}:")
        }
        filled = dict.fromkeys(WRITERS[folder], f"/state/secrets_of/{folder}")
        assert mounts == filled | dict.fromkeys(readers, PLACES[folder])


def _prepare(state: Path, what: str) -> None:
    environment = {**os.environ, "PROMPTSALES_STATE": str(state), "PYTHONPATH": str(ROOT)}
    environment["PROMPTSALES_ALERT_MAIL"] = "smtp://mail.example:25/?from_email=a@example.com&to_email=b@example.com"
    subprocess.run([sys.executable, str(DOCKER / "prepare.py"), what], env=environment, cwd=state, check=True)


def _modes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): oct(path.stat().st_mode)[-3:] for path in folder.rglob("*")}


def test_what_is_handed_out(tmp_path: Path) -> None:
    for _ in range(2):
        _prepare(tmp_path, "files")
    connect = ("connect.jaas", "connect.logins", "connect.pgpass", "connect.properties")
    ours = ("etl_audit", "kafka_alerts", "kafka_stream", "redis", "warehouse_loader")
    assert _modes(tmp_path / "secrets_of") == {
        **dict.fromkeys(READERS, "750"),
        "tasks/warehouse_loader": "600",
        **{f"connect/{name}": "440" for name in connect}, **{f"stream/{name}": "600" for name in ours},
        "kafka/kafka.properties": "440", "mongo/mongo_keyfile": "440", "postgres/postgres": "440", "redis/redis": "440",
        "superset/superset.json": "440",
    }  # fmt: skip
    assert _modes(tmp_path / "conf") == {"airflow.alerts.json": "600", "airflow.passwords.json": "600"}
    assert "mail.example" in (tmp_path / "conf" / "airflow.alerts.json").read_text()
    superset = json.loads((tmp_path / "secrets_of" / "superset" / "superset.json").read_text())
    assert superset["bind"].startswith("0.0.0.0:")
    assert superset["imported"] == "/app/superset_home/imported"
    assert {make_url(superset[name]).username for name in ("metadata", "warehouse")} == {"superset", "bi"}


def test_tasks_are_given_the_keys_of_content_and_lose_removed_ones(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    for kept, removed in (("pii_content_key_1", "none"), ("pii_content_key_2", "pii_content_key_1")):
        secrets.create("pii_key_1")
        key = secrets.create(kept)
        secrets.remove(removed)
        _prepare(tmp_path, "tasks")
        folder = tmp_path / "secrets_of" / "tasks"
        assert _modes(folder) == {kept: "600"}
        assert (folder / kept).read_text() == key
    command = ["sh", "-c", *COMPOSE["services"]["promptsales"]["entrypoint"][2:]]
    assert command[2].split("; ")[1:] == ["code=$$?", "python docker/prepare.py tasks", "exit $$code"]


def test_no_task_has_the_addresses_of_alerts_in_its_environment() -> None:
    given = {name for name, service in COMPOSE["services"].items() if "env_file" in service}
    empty = {"PROMPTSALES_ALERT_MAIL": "", "PROMPTSALES_ALERT_WEBHOOK": ""}
    cleared = {name for name in given if COMPOSE["services"][name].get("environment", {}).items() >= empty.items()}
    assert cleared == {*COMPONENTS, "stream-0"}
    assert given - cleared == {"files", "servers", "promptsales"}


def _set(name: str, **values: Any) -> Callable[[Services], None]:
    return lambda services: services[name].update(values)


def _drop(name: str, key: str) -> Callable[[Services], None]:
    return lambda services: services[name].pop(key)


def _mount(name: str, volume: str) -> Callable[[Services], None]:
    return lambda services: services[name]["volumes"].append(volume)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_drop("redis", "security_opt"), "redis may gain privileges"),
        (_set("kafka", cap_drop=["NET_RAW"]), "kafka keeps capabilities"),
        (_set("kafka", cap_add=["SYS_PTRACE"]), "kafka keeps capabilities"),
        (_set("mongo", privileged=True), "mongo keeps capabilities"),
        (_drop("sources", "user"), "sources runs as root"),
        (_set("connect", user="0:0"), "connect runs as root"),
        (_drop("airflow-api", "read_only"), "airflow-api may change its image's files"),
        (_set("stream-0", pid="host"), "stream-0 shares more than the network"),
        (_set("redis", network_mode="host"), "redis is on another network"),
        (_set("net", network_mode="bridge"), "net is on another network"),
        (_set("net", ports=["21003:21003"]), "net publishes 21003:21003 to other machines"),
        (_set("net", ports=["0.0.0.0:21003:21003"]), "net publishes 0.0.0.0:21003:21003 to other machines"),
        (_mount("connect", "secrets:/state/secrets:ro"), "connect mounts every secret"),
        (_mount("airflow-scheduler", "secrets:/all:ro"), "airflow-scheduler mounts every secret"),
        (_mount("connect", "secrets-of-kafka:/kafka:ro"), "connect mounts the secrets of another"),
        (_mount("kafka", "secrets-of-redis:/run/secrets:ro"), "kafka mounts the secrets of another"),
        (_mount("net", "/var/run/docker.sock:/sock"), "net mounts /var/run/docker.sock of this machine"),
        (_mount("redis", "./conf/redis.conf:/conf"), "redis mounts ./conf/redis.conf of this machine"),
    ],
)  # fmt: skip
def test_each_kind_of_fault_is_found(change: Callable[[Services], None], expected: str) -> None:
    services = copy.deepcopy(COMPOSE["services"])
    services["net"].setdefault("volumes", [])
    change(services)
    assert list(faults(services)) == [expected]


def test_an_image_has_an_exact_version() -> None:
    ours = {"promptsales/pipeline", "promptsales/connect", "promptsales/superset"}
    images = {service["image"] for service in COMPOSE["services"].values()} - ours
    images |= set(re.findall(r"^ARG \w+_IMAGE=(\S+)$", (DOCKER / "Dockerfile").read_text(encoding="utf-8"), re.M))
    assert {image.partition(":")[0] for image in images} == {"postgres", "mongo", "redis", "apache/kafka", "python",
                                                              "apache/superset"}  # fmt: skip
    # PostgreSQL's versions have two numbers
    exact = re.compile(r"postgres:\d+\.\d+|\S+:\d+\.\d+\.\d+(-[a-z-]+)?")
    assert [image for image in images if not exact.fullmatch(image.partition("@")[0])] == []


def test_settings_of_an_installation_stay_out_of_git_and_of_the_image() -> None:
    file = "docker/settings.env"
    assert subprocess.run(["git", "check-ignore", "--quiet", file], cwd=ROOT, check=False).returncode == 0
    lines = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    # the last rule that fits counts
    named = rules.index(file)
    assert rules[0] == "*"
    assert [rule for rule in rules[named:] if rule.startswith("!")] == []
