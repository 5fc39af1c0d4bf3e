"""What docker/compose.yml gives to a container that is broken into: nothing that its work does not need."""

import copy
import re
import runpy
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from promptsales.settings import ROOT
from tests.unit.docker.test_compose import COMPOSE, DOCKER

Services = dict[str, dict[str, Any]]

HANDED_OUT: dict[str, tuple[str, ...]] = runpy.run_path(str(DOCKER / "prepare.py"))["HANDED_OUT"]
# who mounts every password and key, and why
ALL_SECRETS = {
    "files": "It generates them, and hands them out.",
    "servers": "It creates the users of MongoDB and of Airflow's database, as administrator.",
    "airflow-scheduler": "Its tasks hash with the keys, and a rotation adds keys.",
    "promptsales": "The operator's command line: it connects under every name, and rotates keys. It runs on demand.",
}
# the containers that read a folder of HANDED_OUT
READERS = {
    "postgres": {"sources", "warehouse"},
    "mongo": {"mongo"},
    "redis": {"redis"},
    "connect": {"connect"},
    "stream": {"stream-0"},
}


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
        if source.startswith("secrets-of-") and name not in READERS[source.removeprefix("secrets-of-")] | {"files"}:
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
    assert READERS.keys() == HANDED_OUT.keys()
    for folder, readers in READERS.items():
        mounts = {
            name: volume.partition(":")[2]
            for name, service in COMPOSE["services"].items()
            for volume in service.get("volumes", ())
            if volume.startswith(f"secrets-of-{folder}:")
        }
        place = "/state/secrets:ro" if folder == "stream" else "/run/secrets:ro"
        assert mounts == {"files": f"/state/secrets_of/{folder}"} | dict.fromkeys(readers, place)


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
    ours = {"promptsales/pipeline", "promptsales/connect"}
    images = {service["image"] for service in COMPOSE["services"].values()} - ours
    images |= set(re.findall(r"^ARG \w+_IMAGE=(\S+)$", (DOCKER / "Dockerfile").read_text(encoding="utf-8"), re.M))
    assert {image.partition(":")[0] for image in images} == {"postgres", "mongo", "redis", "apache/kafka", "python"}
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
