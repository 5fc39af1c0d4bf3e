"""Start docker/compose.yml once, under a project name of its own, and remove it afterwards."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
import pytest

from promptsales.airflow_client.api import AirflowClient
from promptsales.settings import ROOT
from tests.containers import images

PROJECT = "promptsales-test"
START_S = 900


@dataclass(frozen=True)
class Boxes:
    """The containers of one project."""

    files: tuple[Path, ...]

    def compose(self, *arguments: str) -> str:
        """Run ``docker compose`` and return what it printed."""
        files = [word for file in (ROOT / "docker" / "compose.yml", *self.files) for word in ("--file", str(file))]
        return images.docker("compose", "--project-name", PROJECT, "--progress", "quiet", *files, *arguments)

    def up(self) -> None:
        """Start what does not run, as the README says, and wait until it is healthy."""
        self.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", str(START_S))

    def promptsales(self, *arguments: str) -> str:
        """Run the command line in a container of its own."""
        return self.compose("run", "--rm", "--no-TTY", "promptsales", *arguments)

    def read_secrets(self) -> dict[str, str]:
        """Return every secret, by a container of the command line: none that keeps running mounts all."""
        command = ("run", "--rm", "--no-TTY", "--no-deps", "--entrypoint", "sh", "promptsales")
        lines = self.compose(*command, "-c", "cd /state/secrets && grep -H . *").splitlines()
        return {name: value for name, _, value in (line.partition(":") for line in lines)}

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Every secret; nothing changes one while the tests run."""
        return self.read_secrets()

    def published(self, port: int) -> str:
        """Return the address on this machine where a port of the containers is published."""
        return self.compose("port", "net", str(port)).strip()

    def connect(self, port: int, database: str) -> psycopg.Connection:
        """Connect as superuser to a cluster, from this machine."""
        host, _, here = self.published(port).partition(":")
        password = self.secrets["postgres"]
        return psycopg.connect(
            host=host, port=int(here), dbname=database, user="postgres", password=password, autocommit=True
        )

    def airflow(self) -> AirflowClient:
        """Return a client of Airflow's API, from this machine."""
        return AirflowClient(f"http://admin:{self.secrets['airflow_admin']}@{self.published(21007)}")


@pytest.fixture(scope="package")
def boxes() -> Iterator[Boxes]:
    """Yield the started containers; the sources and the warehouse are provisioned, and the stream runs."""
    if lack := images.missing():
        pytest.skip(f"the containers were not started: {lack}")
    boxes = Boxes(tuple(images.build()))
    boxes.compose("down", "--volumes", "--remove-orphans")
    try:
        boxes.up()
        boxes.promptsales("provision")
        boxes.promptsales("register")
        boxes.promptsales("connectors", "apply")
        yield boxes
    except subprocess.CalledProcessError:
        print(boxes.compose("ps", "--all"), boxes.compose("logs", "--tail", "40"))
        raise
    finally:
        boxes.compose("down", "--volumes", "--remove-orphans")
