"""What each service of the local stack tells the stack about itself."""

import shutil
import socket
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from promptsales.errors import TransientError
from promptsales.settings import HOST, Port, Settings


class Unwell(TransientError):
    """The service does not answer as a healthy one would; the message says why, in one line."""


@dataclass(frozen=True)
class Program:
    """One process that the supervisor keeps alive. No secret may stand in ``command``: everybody can read that."""

    name: str
    command: list[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: str = "TERM"
    stop_wait_s: int = 20
    start_s: int = 2


class Service(ABC):
    """A server, or a few that only make sense together.

    The stack calls, in this order: ``files`` and ``programs`` (what is to run; no side effects), ``prepare`` (once
    everything in ``needs`` is healthy), then ``settle`` and ``probe`` again and again until both return.
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

    @abstractmethod
    def programs(self) -> list[Program]:
        """The processes to keep alive."""

    def files(self) -> dict[Path, str]:
        """The configuration files it needs, with their content; written with mode 0600."""
        return {}

    def prepare(self) -> None:
        """Make its data folder ready. Safe to repeat after a kill anywhere.

        Raises:
            PipelineError: when the machine lacks something it needs.
        """
        self.data.mkdir(parents=True, exist_ok=True)

    def settle(self) -> None:  # noqa: B027 - most services have nothing to settle
        """Finish what only the running server can do, such as its first user. Safe to repeat.

        Raises:
            Unwell: when it does not answer yet.
        """

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A fresh folder beside the data, for what must come into being whole; one of a killed start is removed."""
        for old in self.data.parent.glob(f".{self.name}-*"):
            shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{self.name}-", dir=self.data.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @abstractmethod
    def probe(self, started: float) -> str:
        """Ask the service itself whether it is well.

        Args:
            started: when the supervisor started its youngest process, in seconds since 1970.

        Returns:
            The version it runs.

        Raises:
            Unwell: when it is not.
        """

    def knock(self) -> None:
        """Refuse quickly when nobody listens, before a driver with long time-outs is asked.

        Raises:
            Unwell: when the port is closed.
        """
        try:
            socket.create_connection((HOST, self.port), timeout=2).close()
        except OSError:
            raise Unwell(f"nobody listens on {self.address}") from None
