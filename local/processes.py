"""Processes of this machine: what the stack's own use, who holds a port, and what an earlier start left behind."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)
# a scheduler without its database or a server without its log pipe may hang: all of them survive SIGKILL
GRACE_S = 10


def family(pid: int) -> list[psutil.Process]:
    """A process and everything it started."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except GONE:
        return []


def memory_mb(pids: Iterable[int]) -> int:
    """Memory of these processes and all they started, in MB; what they share is counted once (PSS)."""
    total = 0
    for process in {process for pid in pids for process in family(pid)}:
        with suppress(*GONE):
            total += process.memory_full_info().pss
    return round(total / 1024**2)


def holder(port: int) -> str:
    """Who listens on a port, as far as we may see it: ``process 4711 (nginx)``."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
            with suppress(*GONE):
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "a process of another user"


def leftovers(state: Path) -> list[psutil.Process]:
    """Processes of this stack that a killed supervisor left alive, the supervisor itself first.

    Every program is started inside the folders ``run``, ``conf`` or ``data`` of the state and away from any terminal;
    a shell somebody has open there is none of them, nor is anything we descend from.
    """
    homes = [str(state / name) for name in ("run", "conf", "data")]
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with suppress(*GONE, OSError):
            folder = process.cwd()
            if process.pid not in ours and _is_inside(folder, homes) and process.terminal() is None:
                found.append((folder != homes[0], process.pid, process))
    return [process for _, _, process in sorted(found, key=lambda one: one[:2])]


def _is_inside(folder: str, homes: list[str]) -> bool:
    return any(folder == home or folder.startswith(f"{home}/") for home in homes)


def stop(processes: list[psutil.Process]) -> None:
    """End these processes: a quick, clean stop for those that no other of them started, then SIGKILL for all."""
    pids = {process.pid for process in processes}
    for process in processes:
        with suppress(*GONE):
            if process.ppid() not in pids:
                # PostgreSQL takes SIGTERM for "when the last client has left"
                process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=GRACE_S)
    for process in alive:
        with suppress(*GONE):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
