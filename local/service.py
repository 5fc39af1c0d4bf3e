"""What every service of the local stack defines: its programs, files, preparation and health check."""

import shutil
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from promptsales.errors import TransientError
from promptsales.settings import HOST, Settings
from promptsales.settings_file import VARIABLE, find_settings_file
from promptsales.targets import Port


class Unwell(TransientError):
    """The service is not healthy; the message says why, in one line."""


@dataclass(frozen=True)
class Program:
    """A process that the supervisor keeps alive. ``command`` must hold no secret: every user can read it."""

    name: str
    command: list[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: str = "TERM"
    stop_wait_s: int = 20
    start_s: int = 2


class Service(ABC):
    """A server, or several that only work together.

    The stack calls ``files`` and ``programs`` (no side effects), then ``prepare`` (once everything in ``needs`` is
    healthy), then ``settle`` and ``probe`` repeatedly until both return.
    """

    name: str
    ports: tuple[Port, ...]
    needs: tuple[str, ...] = ()
    patience_s: int = 120

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def data(self) -> Path:
        """The folder of this service's data."""
        return self.settings.state / "data" / self.name

    @property
    def conf(self) -> Path:
        """The folder of all generated configuration."""
        return self.settings.state / "conf"

    @property
    def port(self) -> int:
        """The port its clients use."""
        return self.settings.port(self.ports[0])

    @property
    def address(self) -> str:
        """Where it listens, without credentials."""
        return f"{HOST}:{self.port}"

    @property
    def settings_environment(self) -> dict[str, str]:
        """The settings as variables, without addresses: those of the file of settings are read from there."""
        values = self.settings.model_dump(exclude={"dsn", "alert_mail", "alert_webhook"})
        file = find_settings_file(self.settings.state)
        named = {VARIABLE: str(file)} if file else {}
        return {f"PROMPTSALES_{name.upper()}": str(value) for name, value in values.items()} | named

    @abstractmethod
    def programs(self) -> list[Program]:
        """Return the processes to keep alive."""

    def files(self) -> dict[Path, str]:
        """Return the configuration files with their content; the stack writes them with mode 0600."""
        return {}

    def prepare(self) -> None:
        """Create the data folder. Safe to repeat after a kill at any point.

        Raises:
            PipelineError: when the machine lacks something that the service needs.
        """
        self.data.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Close the data folder to other users, whatever mode a start or a program has given it."""
        if self.data.exists():
            self.data.chmod(0o700)

    def settle(self) -> None:  # noqa: B027 - most services have nothing to settle
        """Do what only a running server can, such as creating its first user. Safe to repeat.

        Raises:
            Unwell: when the server does not answer yet.
        """

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Provide an empty folder beside the data, to be renamed when complete; remove what a killed start left."""
        for leftover in self.data.parent.glob(f".{self.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{self.name}-", dir=self.data.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @abstractmethod
    def probe(self, started: float) -> str:
        """Check that the service is healthy, and return the version that runs.

        Args:
            started: when the supervisor started its last process, in seconds since 1970.

        Raises:
            Unwell: when it is not healthy.
        """

    def check_port(self) -> None:
        """Check that the port is open: a driver with long time-outs would take longer to find out.

        Raises:
            Unwell: when the port is closed.
        """
        try:
            socket.create_connection((HOST, self.port), timeout=2).close()
        except OSError:
            raise Unwell(f"nobody listens on {self.address}") from None


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that a failed command printed, else its exit code."""
    output = result.stderr.strip() or result.stdout.strip() or f"exit code {result.returncode}"
    return output.splitlines()[-1]
