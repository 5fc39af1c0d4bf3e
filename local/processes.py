"""Processes of this machine: the stack's memory, who holds a port, and what an earlier start left running."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)
# a scheduler without its database, or a server without its log pipe, may hang; SIGKILL does their data no harm
GRACE_S = 10


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except GONE:
        return []


def memory_mb(pids: Iterable[int]) -> int:
    """Return the memory of these processes and their descendants in MB; shared pages count once (PSS)."""
    total = 0
    for process in {process for pid in pids for process in family(pid)}:
        with suppress(*GONE):
            total += process.memory_full_info().pss
    return round(total / 1024**2)


def find_holder(port: int) -> str:
    """Return who listens on a port, such as ``process 4711 (nginx)``."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,) and connection.pid:
            with suppress(*GONE):
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "a process of another user"


def find_leftovers(state: Path) -> list[psutil.Process]:
    """Return the processes of this stack that a killed supervisor left running, the supervisor itself first.

    Every program runs inside the folder ``run``, ``conf`` or ``data`` of the state and has no terminal. This excludes
    a user's shell in such a folder; our own ancestors are excluded too.
    """
    homes = [str(state / name) for name in ("run", "conf", "data")]
    ancestors = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    leftovers = []
    for process in psutil.process_iter():
        with suppress(*GONE, OSError):
            folder = process.cwd()
            if process.pid not in ancestors and _is_inside(folder, homes) and process.terminal() is None:
                leftovers.append((folder != homes[0], process.pid, process))
    return [process for _, _, process in sorted(leftovers, key=lambda leftover: leftover[:2])]


def _is_inside(folder: str, homes: list[str]) -> bool:
    return any(folder == home or folder.startswith(f"{home}/") for home in homes)


def stop(processes: list[psutil.Process]) -> None:
    """Stop the processes whose parent is not among them, then send SIGKILL to all that are left."""
    pids = {process.pid for process in processes}
    for process in processes:
        with suppress(*GONE):
            if process.ppid() not in pids:
                # on SIGTERM, PostgreSQL waits for its last client to leave
                process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=GRACE_S)
    for process in alive:
        with suppress(*GONE):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
