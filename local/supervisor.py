"""`supervisord`: keeps the programs alive, turns their logs, and is spoken to over a socket only its owner can open."""

import hashlib
import http.client
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import Faults

from local.service import Program
from promptsales.errors import ConfigError, TerminalError

# a socket's path may have 107 bytes, and supervisord binds a longer name first
_LONGEST_SOCKET = 90
_START_S = 60
_DOWN = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")

_HEAD = """[supervisord]
pidfile={run}/supervisord.pid
logfile={logs}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
childlogdir={logs}
directory={run}
identifier=promptsales
umask=077
{user}
[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# every program is started by `local.stack`, in order; only restarts are the supervisor's own
_PROGRAM = """
[program:{name}]
command={command}
directory={folder}
environment={environment}
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
redirect_stderr=true
autostart=false
autorestart=true
startsecs={start_s}
startretries=100000
stopsignal={stop_signal}
stopwaitsecs={stop_wait_s}
stopasgroup={stop_group}
killasgroup=true
{user}
"""


@dataclass(frozen=True)
class Process:
    """What the supervisor knows about a program; ``started`` in seconds since 1970."""

    name: str
    state: str
    pid: int
    started: float

    @property
    def is_down(self) -> bool:
        """Whether it neither runs nor is about to."""
        return self.state in _DOWN


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _Connection(self._path)
        self._connection = host, connection  # what close() closes
        return connection


def socket_path(run: Path) -> Path:
    """The socket's place: in the state folder, or in a folder of our own when that path is too long for a socket.

    Raises:
        ConfigError: when somebody else has made a folder of that name.
    """
    inside = run / "supervisor.sock"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET:
        return inside
    name = hashlib.sha256(os.fsencode(run)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"promptsales-{os.geteuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    if seen.st_uid != os.geteuid() or seen.st_mode & 0o077 or folder.is_symlink():
        raise ConfigError(f"{folder} is not ours alone; choose a shorter state folder by PROMPTSALES_STATE")
    return folder / "supervisor.sock"


def _escape(text: object) -> str:
    if re.search(r"\s[;#]|\n", str(text)):
        raise ConfigError(f"a path must not hold a space before ; or #, as this one does: {text}")
    return str(text).replace("%", "%%")


def render(run: Path, logs: Path, programs: list[Program]) -> str:
    """The supervisor's configuration. It may hold a secret in ``environment``, so it is written with mode 0600.

    Raises:
        ConfigError: for a path with what the supervisor takes for the beginning of a comment.
    """
    user = "user=root" if os.geteuid() == 0 else ""
    head = _HEAD.format(run=_escape(run), logs=_escape(logs), user=user, socket=_escape(socket_path(run)))
    return head + "".join(_render_program(program, logs) for program in programs)


def _render_program(program: Program, logs: Path) -> str:
    return _PROGRAM.format(
        name=program.name,
        command=_escape(shlex.join(program.command)),
        folder=_escape(program.folder),
        environment=",".join(f'{key}="{_escape(value)}"' for key, value in program.environment.items()),
        logs=_escape(logs),
        start_s=program.start_s,
        stop_signal=program.stop_signal,
        stop_wait_s=program.stop_wait_s,
        # a signal to each backend too would end PostgreSQL's fast shutdown as a crash
        stop_group=str(program.stop_signal == "TERM").lower(),
        user=f"user={program.user}" if program.user else "",
    )


class Supervisor:
    """The one supervisor of a state folder."""

    def __init__(self, state: Path) -> None:
        self.run, self.logs, self.conf = state / "run", state / "logs", state / "conf" / "supervisord.conf"

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = _Transport(socket_path(self.run))
        with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def processes(self) -> dict[str, Process]:
        """All programs by name; nothing when no supervisor answers."""
        try:
            known: list[dict[str, Any]] = self._call("getAllProcessInfo")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return {}
        return {one["name"]: Process(one["name"], one["statename"], one["pid"], float(one["start"])) for one in known}

    def launch(self) -> None:
        """Start it, as a daemon with an environment of our own making.

        Raises:
            TerminalError: when it does not come up.
        """
        socket_path(self.run).unlink(missing_ok=True)
        temporary = str(self.run.parent / "tmp")
        # USER: some programs ask for the name of a user who may have none; HOME: nothing of the real one is used
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TZ": "UTC",
                       "USER": "promptsales", "HOME": str(self.run), "TMPDIR": temporary}  # fmt: skip
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.conf)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=self.run)
        deadline = time.monotonic() + _START_S
        while not self.processes():
            if done.returncode or time.monotonic() > deadline:
                said = (done.stderr.strip() or f"see {self.logs}/supervisord.log").splitlines()[-1]
                raise TerminalError(f"the supervisor does not start: {said}")
            time.sleep(0.05)

    def start(self, name: str) -> None:
        """Start a program, unless it runs; returns at once.

        Raises:
            TerminalError: when there is no such program to run.
        """
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise TerminalError(f"{name} cannot be started: {fault.faultString}") from None

    def stop(self, names: set[str], patience_s: int) -> None:
        """Stop these programs at the same time and wait for the last, at most ``patience_s`` seconds."""
        for name, process in self.processes().items():
            if name in names and not process.is_down:
                self._call("stopProcess", name, False)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if all(one.is_down for name, one in self.processes().items() if name in names):
                return
            time.sleep(0.1)

    def end(self, patience_s: int) -> None:
        """End the supervisor with all that still runs under it."""
        pid = int(self._call("getPID"))
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
            time.sleep(0.05)

    def last_words(self, name: str) -> str:
        """The last line of a program's log that tells of trouble, else simply the last one."""
        try:
            with (self.logs / f"{name}.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 20_000))
                lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        except OSError:
            return "it wrote nothing"
        trouble = [
            line for line in lines[-50:] if any(word in line for word in ("FATAL", "ERROR", "rror:", "Exception"))
        ]
        return (trouble or lines or ["it wrote nothing"])[-1][:300]
