"""Only a few modules open sessions, and a session opens on servers that lack a setting."""

import re
from typing import Any

import psycopg
import pytest

from promptsales.connections import open_with, start_options
from promptsales.settings import ROOT, Settings

OPENING = re.compile(r"(?:psycopg|Connection)\.connect\(|PostgresHook\(|create_engine\(|\.jdbc\(")
# Airflow's hook and Alembic's engine get a connection that connections.py opened; JDBC gets the same options
HOMES = {
    "promptsales/connections.py",
    "promptsales/marts/filling.py",
    "promptsales/orchestration/connections.py",
    "promptsales/provision/migrations.py",
    "promptsales/webui/connections.py",
    "spark_jobs/source.py",
}


def test_no_other_file_opens_a_session() -> None:
    files = [path for name in ("promptsales", "streams", "spark_jobs", "dags") for path in (ROOT / name).rglob("*.py")]
    homes = {str(path.relative_to(ROOT)) for path in files if OPENING.search(path.read_text(encoding="utf-8"))}
    assert homes == HOMES


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('FATAL:  unrecognized configuration parameter "transaction_timeout"', "transaction_timeout"),
        (
            'FATAL:  invalid value for parameter "client_connection_check_interval": 2000',
            "client_connection_check_interval",
        ),
    ],
)
def test_a_server_that_lacks_a_setting_is_not_asked_for_it(text: str, setting: str) -> None:
    attempts: list[str] = []

    def connect(parameters: dict[str, Any]) -> psycopg.Connection:
        attempts.append(parameters["options"])
        if setting in parameters["options"]:
            raise psycopg.OperationalError(text)
        raise psycopg.OperationalError("connection refused")

    with pytest.raises(psycopg.OperationalError, match="connection refused"):
        open_with(connect, Settings(), "promptcrm_etl", {})
    first, second = (options.split(" -c ") for options in attempts)
    assert [option.split("=")[0] for option in first if option not in second] == [setting]
    assert [option for option in second if option not in first] == []


def test_how_long_a_statement_may_take() -> None:
    settings = Settings(work_timeout_minutes=90, look_timeout_minutes=2)
    assert "-c statement_timeout=90min" in start_options(settings, "warehouse")
    assert "-c statement_timeout=2min" in start_options(settings, "warehouse", "look")
