"""Airflow 3: API server, scheduler and DAG processor, each its own process; metadata in the warehouse cluster."""

import base64
import json
import os
import secrets as random
import subprocess
import sys
import time
from configparser import RawConfigParser
from datetime import datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any

import httpx

from local.postgres import Postgres
from local.service import Program, Service, Unwell
from promptsales.airflow_client.registration import alert_environment
from promptsales.errors import TerminalError
from promptsales.provision.cluster import provision_cluster
from promptsales.settings import HOST, ROOT, Port, Settings

KEEP_LOGS_DAYS = 14
COMPONENTS = {
    "airflow-api": ["api-server"],
    "airflow-scheduler": ["scheduler", "--skip-serve-logs"],
    "airflow-dags": ["dag-processor"],
}


def create_fernet(settings: Settings) -> None:
    """Make the key that encrypts connections in the metadata database, unless it is there: it has a form of its own."""
    if not (settings.state / "secrets" / "airflow_fernet").exists():
        settings.secrets.write("airflow_fernet", base64.urlsafe_b64encode(random.token_bytes(32)).decode())


class Airflow(Service):
    """Without a triggerer (250 MB): nothing here is deferrable."""

    name = "airflow"
    ports: tuple[Port, ...] = ("airflow",)
    needs = ("warehouse",)
    patience_s = 240

    @property
    def address(self) -> str:
        """Where the UI is."""
        return f"http://{HOST}:{self.port}"

    @property
    def _logs(self) -> Path:
        return self.settings.state / "logs" / "airflow"

    def config(self) -> dict[str, dict[str, str]]:
        """What differs from Airflow's own defaults, secrets included."""
        secret = self.settings.secrets.password
        database = self.settings.model_copy(update={"dsn": {}}).address("airflow_db")
        return {
            "core": {
                "dags_folder": str(ROOT / "dags"),
                "executor": "local.executor.Executor",
                "parallelism": "4",
                "load_examples": "False",
                "dags_are_paused_at_creation": "False",
                "min_serialized_dag_update_interval": "5",
                "execution_api_server_url": f"{self.address}/execution/",
                "fernet_key": secret("airflow_fernet"),
                "simple_auth_manager_users": "admin:admin",
                "simple_auth_manager_passwords_file": str(self.conf / "airflow.passwords.json"),
                # the default asks the DNS for a full name: seconds where there is no network
                "hostname_callable": "socket.gethostname",
            },
            "database": {"sql_alchemy_conn": database.replace("postgresql://", "postgresql+psycopg2://")},
            "api": {
                "host": HOST,
                "port": str(self.port),
                "base_url": self.address,
                "workers": "1",
                "secret_key": secret("airflow_api_secret"),
                "instance_name": "PromptSales",
            },
            "api_auth": {"jwt_secret": secret("airflow_jwt")},
            "scheduler": {"scheduler_idle_sleep_time": "0.5"},
            # a file that changed is read within ten seconds all the same; reading all of them takes twenty of a core
            "dag_processor": {"refresh_interval": "10", "min_file_process_interval": "600", "parsing_processes": "1"},
            "logging": {
                "base_log_folder": str(self._logs),
                # a line for every file every ten seconds: to where the supervisor turns the log
                "dag_processor_log_target": "stdout",
                "colored_console_log": "False",
            },
            "usage_data_collection": {"enabled": "False"},
        }

    def files(self) -> dict[Path, str]:
        """Return Airflow's configuration file and the logins of its pages, by path."""
        parser = RawConfigParser()
        # a percent sign would start an interpolation when Airflow reads it
        parser.read_dict({
            section: {key: value.replace("%", "%%") for key, value in chosen.items()}
            for section, chosen in self.config().items()
        })  # fmt: skip
        text = StringIO()
        parser.write(text)
        login = {"admin": self.settings.secrets.password("airflow_admin")}
        return {
            self.data / "airflow.cfg": text.getvalue(),
            self.conf / "airflow.passwords.json": json.dumps(login),
        }

    @property
    def _environment(self) -> dict[str, str]:
        # tasks see the settings too, but for addresses and their passwords: those are Airflow's connections
        chosen = {
            f"PROMPTSALES_{name.upper()}": str(value)
            for name, value in self.settings.model_dump(exclude={"dsn", "alert_mail", "alert_webhook"}).items()
        }
        chosen |= {"AIRFLOW_HOME": str(self.data), "PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "false"}
        return chosen | alert_environment(self.settings)

    def programs(self) -> list[Program]:
        """The three components."""
        return [
            Program(name, [sys.executable, "-m", "airflow", *words], self.data, self._environment, start_s=10)
            for name, words in COMPONENTS.items()
        ]

    def prepare(self) -> None:
        """Create its database, and bring that to this version's schema: four seconds, so once a version only."""
        super().prepare()
        self._prune_logs()
        with Postgres(self.settings, "warehouse").connect() as connection:
            # its role and database are among the cluster's; provision makes the same, and each waits for the other
            provision_cluster(connection, "warehouse", self.settings.secrets)
        stamp = self.data / ".migrated"
        if not stamp.exists() or stamp.read_text() != version("apache-airflow"):
            self._migrate()
            stamp.write_text(version("apache-airflow"))

    def _prune_logs(self) -> None:
        """Airflow never deletes a task's log."""
        oldest = time.time() - KEEP_LOGS_DAYS * 86_400
        for log in self._logs.rglob("*.log"):
            if log.stat().st_mtime < oldest:
                log.unlink()

    def _migrate(self) -> None:
        log = self.settings.state / "logs" / "airflow-migrate.log"
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.data), **self._environment}
        with log.open("w") as file:
            command = [sys.executable, "-m", "airflow", "db", "migrate"]
            done = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment, cwd=self.data, check=False
            )
        if done.returncode:
            raise TerminalError(f"airflow: its database could not be migrated (log: {log})")

    def probe(self, started: float) -> str:
        """Ask the API server about every component; a heartbeat older than the process is an earlier one's."""
        self.knock()
        try:
            with httpx.Client(base_url=self.address, timeout=5, trust_env=False) as client:
                health: dict[str, Any] = client.get("/api/v2/monitor/health").raise_for_status().json()
                running = client.get("/api/v2/version").raise_for_status().json()["version"]
        except httpx.HTTPError as error:
            raise Unwell(f"airflow's API does not answer: {type(error).__name__}") from None
        for component in ("metadatabase", "scheduler", "dag_processor"):
            if reason := _trouble(component, health.get(component, {}), started):
                raise Unwell(f"airflow: {reason}")
        return str(running)


def _trouble(component: str, said: dict[str, Any], started: float) -> str:
    if said.get("status") != "healthy":
        return f"{component} is {said.get('status') or 'not running yet'}"
    beat = said.get(f"latest_{component}_heartbeat")
    if beat and datetime.fromisoformat(beat).timestamp() < started:
        return f"{component} has not reported since it was started"
    return ""
