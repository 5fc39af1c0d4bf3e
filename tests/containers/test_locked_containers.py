"""Attacks on the running containers: from inside one of them, from a container next to them, from this machine."""

import json
import socket
import subprocess
from typing import Any

import pytest

from tests.containers import images
from tests.containers.conftest import PROJECT, Boxes

pytestmark = pytest.mark.timeout(3600)

PUBLISHED = {21000, 21001, 21002, 21007}
INSIDE_ONLY = {21003, 21004, 21005, 21006, 21009}
_AIRFLOW = {"airflow", "airflow_api_secret", "airflow_fernet", "airflow_jwt"}
_LOGINS = {"airflow_admin", "airflow_editor", "airflow_viewer"}
SECRETS = {
    "sources": {"postgres"},
    "warehouse": {"postgres"},
    "mongo": {"mongo_keyfile"},
    "redis": {"redis"},
    "kafka": {"kafka_operator"},
    "connect": {"cdc", "connect", "kafka_connect"},
    "stream-0": {"warehouse_loader", "etl_audit", "redis", "kafka_stream", "kafka_alerts"},
    "airflow-api": {*_AIRFLOW, *_LOGINS},
    "airflow-dags": {*_AIRFLOW, *_LOGINS},
    "airflow-scheduler": {*_AIRFLOW, *_LOGINS, "pii_content_key_1", "warehouse_loader"},
    "airflow-cleanup": _AIRFLOW,
    "net": set[str](),
}
_DIAL = """
import socket, sys
for port in map(int, sys.argv[2:]):
    try:
        socket.create_connection((sys.argv[1], port), timeout=2).close()
        print(port)
    except OSError:
        pass
"""


def _inspect(boxes: Boxes, service: str) -> dict[str, Any]:
    container = boxes.compose("ps", "--quiet", service).strip()
    (found,) = json.loads(images.docker("inspect", container))
    return dict(found)


def _address(boxes: Boxes) -> str:
    networks = _inspect(boxes, "net")["NetworkSettings"]["Networks"]
    assert list(networks) == [f"{PROJECT}_stack"]
    return str(networks[f"{PROJECT}_stack"]["IPAddress"])


def _shell(boxes: Boxes, service: str, command: str) -> subprocess.CompletedProcess[str]:
    container = boxes.compose("ps", "--quiet", service).strip()
    return subprocess.run(
        ["docker", "exec", container, "sh", "-c", command], capture_output=True, text=True, check=False
    )


def test_a_process_of_a_server_has_no_rights_of_root(boxes: Boxes) -> None:
    for service in boxes.compose("ps", "--services").split():
        status = _shell(boxes, service, "cat /proc/1/status").stdout
        fields = dict(line.split(":\t", 1) for line in status.splitlines())
        assert fields["Uid"].split()[0] != "0", service
        assert {fields[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {"0" * 16}, service
        assert fields["NoNewPrivs"] == "1", service


def test_a_process_of_a_server_cannot_change_its_image(boxes: Boxes) -> None:
    for service in boxes.compose("ps", "--services").split():
        for place in ("/", "/etc", "/usr/bin", "/opt"):
            refused = _shell(boxes, service, f"echo x >{place}/planted")
            assert (refused.returncode == 0, "Read-only file system" in refused.stderr) == (False, True), service


def test_a_container_leaves_no_volume_without_a_name(boxes: Boxes) -> None:
    for service in boxes.compose("ps", "--services").split():
        mounts = _inspect(boxes, service)["Mounts"]
        names = [mount["Name"] for mount in mounts if mount["Type"] == "volume"]
        assert [name for name in names if not name.startswith(f"{PROJECT}_")] == [], service


@pytest.mark.parametrize("service", SECRETS)
def test_a_server_finds_its_own_secrets_only(boxes: Boxes, service: str) -> None:
    mounts = {mount["Destination"] for mount in _inspect(boxes, service)["Mounts"]}
    assert "/state" not in mounts
    # by content, wherever a copy may be: the image's own files hold none
    places = "/run/secrets /state /tmp /etc/promptsales"
    seen = _shell(boxes, service, f"find {places} -type f -size -64k -exec cat {{}} + 2>/dev/null").stdout
    assert {name for name, value in boxes.secrets.items() if value in seen} == SECRETS[service]


def test_a_container_next_to_them_reaches_nothing(boxes: Boxes) -> None:
    ports = [str(port) for port in range(21000, 21010)]
    image = _inspect(boxes, "net")["Config"]["Image"]
    found = images.docker("run", "--rm", image, "python", "-c", _DIAL, _address(boxes), *ports)
    assert found == ""


def test_this_machine_reaches_what_is_published_only(boxes: Boxes) -> None:
    for port in range(21000, 21010):
        published = subprocess.run(
            ["docker", "port", boxes.compose("ps", "--quiet", "net").strip(), str(port)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (published.returncode == 0) is (port in PUBLISHED), port
        assert all(line.startswith("127.0.0.1:") for line in published.stdout.split()), port
    for port in INSIDE_ONLY:
        with socket.socket() as client:
            assert client.connect_ex((_address(boxes), port)) != 0, port
