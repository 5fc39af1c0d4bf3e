"""The stream's workers: Faust, each in a process of its own. Before the first `promptsales provision` they wait."""

import sys

import httpx

from local.service import Program, Service, Unwell
from promptsales.connections import connected
from promptsales.errors import PipelineError
from promptsales.settings import ROOT
from promptsales.stream.ready import is_provisioned
from promptsales.targets import Port


class Stream(Service):
    """As many workers as the settings say; they share the partitions."""

    name = "stream"
    ports: tuple[Port, ...] = ("stream",)
    needs = ("kafka", "warehouse", "redis")

    def programs(self) -> list[Program]:
        """Return the workers."""
        environment = self.settings_environment | {"PYTHONPATH": str(ROOT)}
        return [
            Program(
                f"stream-{number}",
                [sys.executable, "-m", "streams", str(number)],
                self.data,
                environment,
                stop_wait_s=30,
            )
            for number in range(self.settings.stream_workers)
        ]

    def probe(self, started: float) -> str:
        """Read every worker's health page and return the assigned partitions; unprovisioned workers have no page."""
        version = ""
        for number in range(self.settings.stream_workers):
            try:
                with httpx.Client(
                    base_url=f"http://127.0.0.1:{self.port + number}", timeout=3, trust_env=False
                ) as client:
                    health = client.get("/health/").raise_for_status().json()
                version = f"{health['partitions']} partitions"
            except httpx.HTTPError as error:
                if not self._is_provisioned():
                    return "waits for `promptsales provision`"
                raise Unwell(f"stream worker {number} does not answer: {type(error).__name__}") from None
        return version

    def _is_provisioned(self) -> bool:
        try:
            with connected(self.settings, "warehouse", patience="look") as warehouse:
                return is_provisioned(warehouse)
        except PipelineError:
            return False
