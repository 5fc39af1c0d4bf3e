"""Airflow's API server for tests: that of a whole stack if it runs, else one of its own without scheduler and DAGs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from local.airflow import AirflowService, create_secrets
from promptsales.airflow_client.api import AirflowClient
from promptsales.airflow_client.registration import register
from promptsales.settings import Settings

_PATIENCE_S = 180


@contextmanager
def serving(stack: Settings) -> Iterator[str]:
    """Yield the address of Airflow, whose connections are registered."""
    service = AirflowService(stack)
    if _answers(service.address):
        with AirflowClient(stack.address("airflow")) as client:
            register(client, stack)
        yield service.address
        return
    with _started(stack, service):
        with AirflowClient(stack.address("airflow")) as client:
            register(client, stack)
        yield service.address


@contextmanager
def _started(stack: Settings, service: AirflowService) -> Iterator[None]:
    create_secrets(stack)
    for secret in ("airflow_jwt", "airflow_api_secret"):
        stack.secrets.create(secret)
    for path, text in service.files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    service.prepare()
    (program,) = (each for each in service.programs() if each.name == "airflow-api")
    log = stack.state / "logs" / "airflow-api.log"
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(program.folder), **program.environment}
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, *program.command[1:]], stdout=file, stderr=file, cwd=program.folder, env=environment,
            start_new_session=True,
        )  # fmt: skip
        try:
            _wait(service.address, server)
            yield
        finally:
            server.terminate()
            server.wait(_PATIENCE_S)


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not _answers(address):
        assert server.poll() is None, "airflow's api server has ended; see logs/airflow-api.log"
        assert time.monotonic() < deadline, "airflow's api server does not answer"
        time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/v2/version", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
