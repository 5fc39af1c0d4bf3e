"""`supervisord` keeps the programs alive and rotates their logs; a socket that only its owner can open controls it."""

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
from promptsales.core_dumps import forbid_core_dumps
from promptsales.errors import ConfigError, TerminalError

# a socket's path may have 107 bytes, and supervisord first binds a longer name
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

# `local.stack` starts every program, in order; the supervisor only restarts them
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
    """The state of a program as the supervisor reports it; ``started`` in seconds since 1970."""

    name: str
    state: str
    pid: int
    started: float

    @property
    def is_down(self) -> bool:
        """Whether it neither runs nor is about to start."""
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
    """Return the socket's path: in the state folder, or in a temporary folder of ours when that path is too long.

    Raises:
        ConfigError: when another user owns that temporary folder or may open it.
    """
    inside = run / "supervisor.sock"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET:
        return inside
    name = hashlib.sha256(os.fsencode(run)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"promptsales-{os.geteuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077 or folder.is_symlink():
        raise ConfigError(
            f"other users own or may open {folder}; set PROMPTSALES_STATE to a folder with a shorter path"
        )
    return folder / "supervisor.sock"


def _escape(text: object) -> str:
    if re.search(r"\s[;#]|\n", str(text)):
        raise ConfigError(f"a path must not hold a line break, or a space before ; or #: {text}; rename the folder")
    return str(text).replace("%", "%%")


def render(run: Path, logs: Path, programs: list[Program]) -> str:
    """Return the supervisor's configuration. ``environment`` may hold a secret, so the file needs mode 0600.

    Raises:
        ConfigError: when the supervisor would read part of a path as a comment.
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
        # if every backend got the signal too, PostgreSQL's fast shutdown would end as a crash
        stop_group=str(program.stop_signal == "TERM").lower(),
        user=f"user={program.user}" if program.user else "",
    )


class Supervisor:
    """The supervisor of a state folder."""

    def __init__(self, state: Path) -> None:
        self.run, self.logs, self.conf = state / "run", state / "logs", state / "conf" / "supervisord.conf"

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = _Transport(socket_path(self.run))
        with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def processes(self) -> dict[str, Process]:
        """Return all programs by name; empty when no supervisor answers."""
        try:
            answer: list[dict[str, Any]] = self._call("getAllProcessInfo")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return {}
        return {
            program["name"]: Process(program["name"], program["statename"], program["pid"], float(program["start"]))
            for program in answer
        }

    def launch(self) -> None:
        """Start the supervisor as a daemon that inherits only ``PATH``.

        Raises:
            TerminalError: when it does not answer within a minute.
        """
        forbid_core_dumps()
        socket_path(self.run).unlink(missing_ok=True)
        temporary = str(self.run.parent / "tmp")
        # USER: our user may have no name, and some programs need one; HOME: they must not read the real one
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TZ": "UTC",
                       "USER": "promptsales", "HOME": str(self.run), "TMPDIR": temporary}  # fmt: skip
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.conf)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=self.run)
        deadline = time.monotonic() + _START_S
        while not self.processes():
            if result.returncode or time.monotonic() > deadline:
                reason = (result.stderr.strip() or f"see {self.logs}/supervisord.log").splitlines()[-1]
                raise TerminalError(f"the supervisor does not start: {reason}")
            time.sleep(0.05)

    def start(self, name: str) -> None:
        """Start a program unless it runs, without waiting for it.

        Raises:
            TerminalError: when the program does not exist or cannot be executed.
        """
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise TerminalError(f"{name} cannot be started: {fault.faultString}") from None

    def stop(self, names: set[str], patience_s: int) -> None:
        """Stop these programs all at once and wait for the last one, at most ``patience_s`` seconds."""
        for name, process in self.processes().items():
            if name in names and not process.is_down:
                self._call("stopProcess", name, False)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if all(process.is_down for name, process in self.processes().items() if name in names):
                return
            time.sleep(0.1)

    def end(self, patience_s: int) -> None:
        """Stop the supervisor and every program that still runs, waiting at most ``patience_s`` seconds."""
        pid = int(self._call("getPID"))
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
            time.sleep(0.05)

    def last_error(self, name: str) -> str:
        """Return the last line of a program's log that looks like an error, else the last line."""
        try:
            with (self.logs / f"{name}.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 20_000))
                lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        except OSError:
            return "it wrote nothing"
        errors = [
            line for line in lines[-50:] if any(word in line for word in ("FATAL", "ERROR", "rror:", "Exception"))
        ]
        return (errors or lines or ["it wrote nothing"])[-1][:300]
