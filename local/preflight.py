"""What must be true before anything is started: a folder of our own, room on the disk, free ports."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.postgres import account, as_account
from local.processes import holder
from local.service import Service
from promptsales.errors import ConfigError
from promptsales.settings import HOST

MARK = ".promptsales"
FIRST_START_MB, LATER_START_MB = 1500, 200


def own_state(state: Path) -> None:
    """Make the state folder, or see that it is one we made.

    Raises:
        ConfigError: when it belongs to another user, holds something else, or PostgreSQL's user cannot reach it.
    """
    if not state.is_absolute():
        raise ConfigError(f"PROMPTSALES_STATE must be an absolute path, not {state}")
    state.mkdir(mode=0o711, parents=True, exist_ok=True)
    _check_owner(state)
    if not (state / MARK).exists():
        if any(state.iterdir()):
            raise ConfigError(f"state folder {state} holds something else; choose an empty one by PROMPTSALES_STATE")
        (state / MARK).write_text("the state of one PromptSales stack; `promptsales down --remove` deletes it\n")
    _make_folders(state)
    _check_reachable(state / "data")


def check_ours(state: Path) -> None:
    """See that a folder is one that a start of ours has made, before it is stopped or removed.

    Raises:
        ConfigError: when it belongs to another user or has not our mark.
    """
    _check_owner(state)
    if not (state / MARK).exists():
        raise ConfigError(f"{state} is no state folder of this project: nothing was stopped or removed")


def _check_owner(state: Path) -> None:
    if state.stat().st_uid != os.geteuid():
        raise ConfigError(f"state folder {state} belongs to another user; choose your own by PROMPTSALES_STATE")


def _make_folders(state: Path) -> None:
    # PostgreSQL's user walks through these two, and can list neither
    for folder in (state, state / "data"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711 if account() else 0o700)
    for name in ("secrets", "conf", "logs", "logs/airflow", "run", "tmp"):
        (state / name).mkdir(mode=0o700, exist_ok=True)


def _check_reachable(folder: Path) -> None:
    name = account()
    if name and subprocess.run(["test", "-x", folder], check=False, cwd="/", **as_account()).returncode:
        raise ConfigError(
            f"PostgreSQL must run as {name}, who cannot reach {folder}; choose another place by PROMPTSALES_STATE"
        )


def check_disk(state: Path) -> None:
    """See that the disk has room for what a start writes.

    Raises:
        ConfigError: when it has not.
    """
    wanted = LATER_START_MB if (state / "data" / "sources").exists() else FIRST_START_MB
    free = shutil.disk_usage(state).free // 1024**2
    if free < wanted:
        raise ConfigError(
            f"{free} MB are free at {state}, {wanted} MB are needed; PROMPTSALES_STATE names another place"
        )


def check_ports(services: Iterable[Service]) -> None:
    """See that nobody else listens where these services will.

    Raises:
        ConfigError: naming the port, the service and who holds it.
    """
    for service in services:
        for name in service.ports:
            port = service.settings.port(name)
            if not _is_free(port):
                raise ConfigError(clash(port, service.name, holder(port)))


def clash(port: int, service: str, who: str) -> str:
    """The message about a taken port."""
    return f"port {port}, wanted for {service}, is held by {who}; stop that, or move the stack by PROMPTSALES_PORT_BASE"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
