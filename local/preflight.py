"""Checks before the stack starts: a state folder of our own, space on the disk, free ports."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.account import account, as_account, create_account
from local.processes import find_holder
from local.service import Service
from promptsales.errors import ConfigError
from promptsales.settings import HOST
from promptsales.settings_file import NAME

MARK = ".promptsales"
FIRST_START_MB, LATER_START_MB = 1500, 200


def claim_state(state: Path) -> None:
    """Create the state folder, or check that an earlier start created it.

    Raises:
        ConfigError: when it belongs to another user, holds other files, or PostgreSQL's user cannot reach it or be
            created.
    """
    if not state.is_absolute():
        raise ConfigError(f"PROMPTSALES_STATE is {state}; set it to an absolute path")
    state.mkdir(mode=0o711, parents=True, exist_ok=True)
    _check_owner(state)
    if not (state / MARK).exists():
        if not _is_unused(state):
            raise ConfigError(f"state folder {state} holds other files; set PROMPTSALES_STATE to an empty folder")
        (state / MARK).write_text("the state of one PromptSales stack; `promptsales down --remove` deletes it\n")
    create_account()
    _make_folders(state)
    _check_reachable(state / "data")


def _is_unused(state: Path) -> bool:
    # a user may write the settings, and provision servers of his own, before the first start
    return {path.name for path in state.iterdir()} <= {NAME, "secrets"}


def check_ours(state: Path) -> None:
    """Check that a start of this stack created the folder, before it is stopped or removed.

    Raises:
        ConfigError: when it belongs to another user or lacks our mark.
    """
    _check_owner(state)
    if not (state / MARK).exists():
        raise ConfigError(f"{state} is not a state folder of this project: nothing was stopped or removed")


def _check_owner(state: Path) -> None:
    if state.stat().st_uid != os.geteuid():
        raise ConfigError(f"state folder {state} belongs to another user; set PROMPTSALES_STATE to one of your own")


def _make_folders(state: Path) -> None:
    # PostgreSQL's user passes through these two, and can list neither
    for folder in (state, state / "data"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711 if account() else 0o700)
    for name in ("secrets", "conf", "logs", "logs/airflow", "run", "tmp"):
        (state / name).mkdir(exist_ok=True)
        (state / name).chmod(0o700)


def _check_reachable(folder: Path) -> None:
    name = account()
    if name and subprocess.run(["test", "-x", folder], check=False, cwd="/", **as_account()).returncode:
        raise ConfigError(
            f"PostgreSQL must run as {name}, who cannot reach {folder}; set PROMPTSALES_STATE to a folder it can reach"
        )


def check_disk(state: Path) -> None:
    """Check that the disk has space for what a start writes.

    Raises:
        ConfigError: when it has too little.
    """
    needed = LATER_START_MB if (state / "data" / "sources").exists() else FIRST_START_MB
    free = shutil.disk_usage(state).free // 1024**2
    if free < needed:
        raise ConfigError(
            f"{free} MB are free at {state}, {needed} MB are needed; free some or set PROMPTSALES_STATE to another disk"
        )


def check_ports(services: Iterable[Service]) -> None:
    """Check that the ports of these services are free.

    Raises:
        ConfigError: naming the port, the service and the process that holds the port.
    """
    for service in services:
        for name in service.ports:
            check_port(service.settings.port(name), service.name)


def check_port(port: int, service: str) -> None:
    """Check that a port is free.

    Raises:
        ConfigError: naming the port, the service and the process that holds the port.
    """
    if not _is_free(port):
        raise ConfigError(describe_clash(port, service, find_holder(port)))


def describe_clash(port: int, service: str, holder: str) -> str:
    """Return the message for a taken port."""
    return f"port {port} of {service} is held by {holder}; stop that, or set PROMPTSALES_PORT_BASE to move the stack"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
