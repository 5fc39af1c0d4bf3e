"""Airflow 3: API server, scheduler, DAG processor and cleanup; the metadata is in the warehouse cluster."""

import base64
import json
import os
import secrets as random
import subprocess
import sys
from configparser import RawConfigParser
from datetime import datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any

import httpx

from local.postgres import Postgres
from local.service import Program, Service, Unwell
from promptsales.airflow_client.registration import alert_connections
from promptsales.errors import TerminalError
from promptsales.provision.cluster import provision_cluster
from promptsales.settings import HOST, ROOT, Settings
from promptsales.targets import Port

COMPONENTS = {
    "airflow-api": ["airflow", "api-server"],
    "airflow-scheduler": ["airflow", "scheduler", "--skip-serve-logs"],
    "airflow-dags": ["airflow", "dag-processor"],
    "airflow-cleanup": ["local.airflow_cleanup"],
}


def create_secrets(settings: Settings) -> None:
    """Create the missing passwords of Airflow's users, and the key that encrypts its connections (32 bytes, base64)."""
    for secret in settings.airflow_passwords.values():
        settings.secrets.create(secret)
    if not (settings.state / "secrets" / "airflow_fernet").exists():
        settings.secrets.write("airflow_fernet", base64.urlsafe_b64encode(random.token_bytes(32)).decode())


class AirflowService(Service):
    """Airflow without a triggerer, which would take 250 MB: no task here is deferrable; its home page says so."""

    name = "airflow"
    ports: tuple[Port, ...] = ("airflow",)
    needs = ("warehouse",)
    patience_s = 240

    @property
    def address(self) -> str:
        """The URL of the UI and the REST API."""
        return f"http://{HOST}:{self.port}"

    @property
    def _logs(self) -> Path:
        return self.settings.state / "logs" / "airflow"

    @property
    def _alerts(self) -> Path:
        return self.conf / "airflow.alerts.json"

    def config(self) -> dict[str, dict[str, str]]:
        """Return the options that differ from Airflow's defaults, by section; secrets are included."""
        secret = self.settings.secrets.password
        database = self.settings.model_copy(update={"dsn": {}}).address("airflow_db")
        return {
            "core": {
                "dags_folder": str(ROOT / "dags"),
                "plugins_folder": str(ROOT / "plugins"),
                "executor": "local.executor.Executor",
                "parallelism": "4",
                "load_examples": "False",
                "dags_are_paused_at_creation": "False",
                "min_serialized_dag_update_interval": "5",
                "execution_api_server_url": f"{self.address}/execution/",
                "fernet_key": secret("airflow_fernet"),
                "simple_auth_manager_users": self.settings.airflow_users,
                "simple_auth_manager_passwords_file": str(self.conf / "airflow.passwords.json"),
                # the default looks the full name up in the DNS, which takes seconds without a network
                "hostname_callable": "socket.gethostname",
            },
            # read when an alert is sent: a variable would be inherited by every task, and by Spark
            "secrets": {
                "backend": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
                "backend_kwargs": json.dumps({"connections_file_path": str(self._alerts)}),
            },
            "database": {
                "sql_alchemy_conn": database.replace("postgresql://", "postgresql+psycopg2://"),
                "sql_alchemy_connect_args": "local.airflow_login.CONNECT_ARGS",
            },
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
            # a changed file is still parsed within ten seconds; parsing all files takes a core for twenty seconds
            "dag_processor": {"refresh_interval": "10", "min_file_process_interval": "600", "parsing_processes": "1"},
            "logging": {
                "base_log_folder": str(self._logs),
                # one line per file every ten seconds: on stdout, where the supervisor rotates it
                "dag_processor_log_target": "stdout",
                "colored_console_log": "False",
            },
            "usage_data_collection": {"enabled": "False"},
        }

    def files(self) -> dict[Path, str]:
        """Return Airflow's configuration file, the logins of its UI and where alerts are sent, by path."""
        parser = RawConfigParser()
        # Airflow interpolates percent signs when it reads the file
        parser.read_dict({
            section: {key: value.replace("%", "%%") for key, value in options.items()}
            for section, options in self.config().items()
        })  # fmt: skip
        text = StringIO()
        parser.write(text)
        users = self.settings.airflow_passwords
        logins = {user: self.settings.secrets.password(secret) for user, secret in users.items()}
        return {
            self.data / "airflow.cfg": text.getvalue(),
            # Airflow imports a module of this name from this folder
            self.data / "config" / "airflow_local_settings.py": "from local.airflow_home import *\n",
            self.conf / "airflow.passwords.json": json.dumps(logins),
            self._alerts: json.dumps(alert_connections(self.settings)),
        }

    @property
    def _environment(self) -> dict[str, str]:
        paths = {"AIRFLOW_HOME": str(self.data), "PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "false"}
        return self.settings_environment | paths

    def programs(self) -> list[Program]:
        """Return the three components, and the program that deletes their old logs and metadata."""
        return [
            Program(name, [sys.executable, "-m", *arguments], self.data, self._environment, start_s=10)
            for name, arguments in COMPONENTS.items()
        ]

    def prepare(self) -> None:
        """Create the metadata database and migrate it; that takes four seconds, so it runs once per Airflow version."""
        super().prepare()
        with Postgres(self.settings, "warehouse").connect() as connection:
            # `promptsales provision` creates the same role and database; a lock makes one wait for the other
            provision_cluster(connection, "warehouse", self.settings.secrets)
        stamp = self.data / ".migrated"
        if not stamp.exists() or stamp.read_text() != version("apache-airflow"):
            self._migrate()
            stamp.write_text(version("apache-airflow"))

    def _migrate(self) -> None:
        log = self.settings.state / "logs" / "airflow-migrate.log"
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.data), **self._environment}
        with log.open("w") as file:
            command = [sys.executable, "-m", "airflow", "db", "migrate"]
            result = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment, cwd=self.data, check=False
            )
        if result.returncode:
            raise TerminalError(f"airflow db migrate failed with exit code {result.returncode}; see {log}")

    def probe(self, started: float) -> str:
        """Read the health of every component from the API server, and return Airflow's version."""
        self.check_port()
        try:
            with httpx.Client(base_url=self.address, timeout=5, trust_env=False) as client:
                health: dict[str, Any] = client.get("/api/v2/monitor/health").raise_for_status().json()
                running = client.get("/api/v2/version").raise_for_status().json()["version"]
        except httpx.HTTPError as error:
            raise Unwell(f"airflow's API does not answer: {type(error).__name__}") from None
        for component in ("metadatabase", "scheduler", "dag_processor"):
            _check_component(component, health.get(component, {}), started)
        return str(running)


def _check_component(component: str, health: dict[str, Any], started: float) -> None:
    if health.get("status") != "healthy":
        raise Unwell(f"airflow: {component} is {health.get('status') or 'not running yet'}")
    heartbeat = health.get(f"latest_{component}_heartbeat")
    # a heartbeat from before the start is that of an earlier process
    if heartbeat and datetime.fromisoformat(heartbeat).timestamp() < started:
        raise Unwell(f"airflow: {component} has sent no heartbeat since its start")
