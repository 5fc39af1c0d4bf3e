"""Create what the containers need before they start, with the code of the local stack. Safe to repeat.

``prepare.py files`` creates secrets and the configuration that holds some of them, and gives each server its own.
``prepare.py servers``, once the servers run, creates MongoDB's replica set and users, Kafka's logins, and Airflow's
role, database and tables. ``prepare.py tasks`` gives Airflow's tasks the keys that they hash with.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from local.airflow import AirflowService, create_secrets
from local.connect import Connect
from local.kafka import Kafka
from local.mongo import Mongo
from local.service import Unwell
from local.stack import SECRETS
from local.superset import values
from promptsales.hashing.keys import CONTENT_KEY, read_keys
from promptsales.secrets import Secrets
from promptsales.settings import Settings, settings

# the secrets that a container sees, by the folder that is its volume
HANDED_OUT = {
    "postgres": ("postgres",),
    "mongo": ("mongo_keyfile",),
    "redis": ("redis",),
    "stream": ("warehouse_loader", "etl_audit", "redis", "kafka_stream", "kafka_alerts"),
    # repairs write in sessions of their own; the keys of prompts and answers come and go with rotations
    "tasks": ("warehouse_loader",),
}
# servers that see the configuration of the local stack's server instead, which holds their passwords
CONFIGURED = (Kafka, Connect)
# read by our own code, which refuses a secret that a group may read; the servers run as users of their own, in this
# process's group
_READ_BY_US = {"stream", "tasks"}
_OURS, _SERVERS = 0o600, 0o440


def create_files(stack: Settings) -> None:
    """Create the missing secrets, and write the configuration that holds some of them."""
    for name in SECRETS:
        stack.secrets.create(name)
    create_secrets(stack)
    for folder, names in HANDED_OUT.items():
        _hand_out(stack, folder, names)
    hand_out_to_tasks(stack)
    for path, text in AirflowService(stack).files().items():
        _write(path, text, _OURS)
    for service in CONFIGURED:
        folder_of = _folder(stack, service.name)
        for path, text in service(stack).files().items():
            _write(folder_of / path.name, text, _SERVERS)
        folder_of.chmod(0o750)
    _write_for_superset(stack)


def _write_for_superset(stack: Settings) -> None:
    """Write what Superset needs; in its container it listens on every address and notes imports in its volume."""
    inside = {"bind": f"0.0.0.0:{stack.port('superset')}", "imported": "/app/superset_home/imported"}
    folder = _folder(stack, "superset")
    _write(folder / "superset.json", json.dumps(values(stack) | inside), _SERVERS)
    folder.chmod(0o750)


def hand_out_to_tasks(stack: Settings) -> None:
    """Copy the keys of prompts and answers, and remove those that a rotation has removed."""
    names = {f"{CONTENT_KEY}_{number}" for number in read_keys(stack.state / "secrets", CONTENT_KEY)}
    _hand_out(stack, "tasks", names)
    for path in _folder(stack, "tasks").glob(f"{CONTENT_KEY}_*"):
        if path.name not in names:
            path.unlink()


def _hand_out(stack: Settings, name: str, secrets: Iterable[str]) -> None:
    """Copy the secrets of one container into its folder, which only it and this process mount."""
    folder = _folder(stack, name)
    for secret in secrets:
        Secrets(folder).write(secret, stack.secrets.password(secret))
        (folder / secret).chmod(_OURS if name in _READ_BY_US else _SERVERS)
    folder.chmod(0o750)


def _folder(stack: Settings, name: str) -> Path:
    folder = stack.state / "secrets_of" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _write(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=_OURS)
    # a file of an earlier start may be read only
    path.chmod(_OURS)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def prepare_servers(stack: Settings) -> None:
    """Create what only running servers can create: users, databases, tables."""
    # a replica set that was just initiated elects its primary first, and Kafka may not serve logins yet
    for service in (Mongo(stack), Kafka(stack)):
        for attempt in Retrying(
            retry=retry_if_exception_type(Unwell),
            stop=stop_after_delay(service.patience_s),
            wait=wait_fixed(1),
            reraise=True,
        ):
            with attempt:
                service.settle()
    AirflowService(stack).prepare()


if __name__ == "__main__":
    {"files": create_files, "servers": prepare_servers, "tasks": hand_out_to_tasks}[sys.argv[1]](settings())
