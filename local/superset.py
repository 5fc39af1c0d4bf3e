"""Superset with the dashboards of `bi/`: no part of the stack, so that only those who look at them pay for it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.postgres import Postgres
from local.preflight import check_port
from local.stack import write_file
from promptsales.errors import ConfigError, TerminalError
from promptsales.provision.cluster import provision_cluster
from promptsales.settings import HOST, ROOT, Settings

PYTHON = ROOT / ".venv.bi" / "bin" / "python"


def values(current: Settings) -> dict[str, str]:
    """Return what Superset needs: its secrets, the addresses of its metadata and of the reader, where it listens."""
    driver = "postgresql+psycopg2://"
    return {
        "secret_key": current.secrets.create("superset_key"),
        "password": current.secrets.create("superset_admin"),
        "metadata": current.address("superset_db").replace("postgresql://", driver),
        "warehouse": current.address("bi").replace("postgresql://", driver),
        "bind": f"{HOST}:{current.port('superset')}",
        "imported": str(current.state / "conf" / "superset.imported"),
    }


def prepare(current: Settings) -> dict[str, str]:
    """Create Superset's role and database unless they exist, write its settings, and return its environment.

    Raises:
        PipelineError: when Superset is not installed, the warehouse's server does not run, or Superset's port is taken.
    """
    if not PYTHON.exists():
        raise ConfigError("Superset is not installed; install and start it with `make bi`")
    check_port(current.port("superset"), "superset")
    if "superset_db" not in current.dsn:
        with Postgres(current, "warehouse").connect() as connection:
            provision_cluster(connection, "warehouse", current.secrets)
    file = current.state / "conf" / "superset.json"
    write_file(file, json.dumps(values(current)))
    config = ROOT / "bi" / "superset_config.py"
    # what would make another Python or Superset of the caller run
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SUPERSET", "FLASK"))}
    return kept | {"PROMPTSALES_BI": str(file), "SUPERSET_CONFIG_PATH": str(config)}


@contextmanager
def superset(current: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Prepare and start Superset, yield its process once it answers, and end it with the block.

    Raises:
        PipelineError: when the warehouse's server does not run, Superset's port is taken, or Superset does not start.
    """
    environment, log = prepare(current), log_of(current)
    with log.open("w") as file:
        command = [PYTHON, ROOT / "bi" / "start.py"]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        while not _answers(current):
            if process.poll() is not None:
                raise TerminalError(f"Superset did not start: {_last_line(log)}; see {log}")
            time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        process.wait()


def address_of(current: Settings) -> str:
    """Return Superset's URL."""
    return f"http://{HOST}:{current.port('superset')}"


def log_of(current: Settings) -> Path:
    """Return the file of what Superset prints."""
    return current.state / "logs" / "superset.log"


def _answers(current: Settings) -> bool:
    try:
        return httpx.get(f"{address_of(current)}/health", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
