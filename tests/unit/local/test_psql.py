"""psql gets the parts of an address that are no secrets, and the secrets by environment."""

from pathlib import Path

import pytest

from local.psql import psql
from promptsales.errors import ConfigError
from promptsales.settings import Settings


def test_a_password_goes_into_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    dsn = {
        "bi": "postgresql://me:p%40ss%20word@h1:5432,h2:5433/dw?sslmode=require&options=-csearch_path%3Da",
        "warehouse": "host=/run/postgresql dbname=dw passfile=/etc/pass",
    }
    settings = Settings(state=tmp_path, dsn=dsn)
    command, environment = psql(settings, "bi", ["-c", "select 1"])
    assert command[1:] == [
        "user=me dbname=dw host=h1,h2 port=5432,5433 options=-csearch_path=a sslmode=require", "-c", "select 1",
    ]  # fmt: skip
    assert environment["PGPASSWORD"] == "p@ss word"
    command, environment = psql(settings, "warehouse", [])
    assert command[1:] == ["passfile=/etc/pass dbname=dw host=/run/postgresql"]
    assert "PGPASSWORD" not in environment


def test_a_secret_without_a_variable_is_refused(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, dsn={"bi": "postgresql://me@h/dw?sslkey=k&sslpassword=hunter2"})
    with pytest.raises(ConfigError, match="connection bi: psql reads sslpassword from its command line only") as error:
        psql(settings, "bi", [])
    assert "hunter2" not in str(error.value)


def test_another_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no PostgreSQL connection is called 'redis'; use one of promptsales, "):
        psql(Settings(state=tmp_path), "redis", [])


def test_a_missing_psql_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="psql is not installed: run `make setup`, or install PostgreSQL's client"):
        psql(Settings(state=tmp_path, dsn={"bi": "postgresql://h/dw"}), "bi", [])
