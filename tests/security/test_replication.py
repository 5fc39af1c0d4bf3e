"""What the password of Debezium's role gives to somebody who holds it."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from local.postgres import server_home
from promptsales.settings import HOST, Settings


def test_it_copies_no_cluster(stack: Settings, tmp_path: Path) -> None:
    program = server_home(stack.state) / "bin" / "pg_basebackup"
    command = [str(program), "-h", HOST, "-p", str(stack.port("sources")), "-U", "cdc", "-D", str(tmp_path / "copy"),
               "--no-password", "--checkpoint=fast", "--wal-method=none"]  # fmt: skip
    environment = {"PGPASSWORD": stack.secrets.password("cdc"), "LC_ALL": "C"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 1
    assert "no pg_hba.conf entry for replication connection from host" in result.stderr
    assert not (tmp_path / "copy" / "PG_VERSION").exists()


@pytest.mark.parametrize("user", ["cdc", "postgres"])
def test_nobody_replicates_physically(stack: Settings, user: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry for replication connection"):
        psycopg.connect(
            host=HOST, port=stack.port("sources"), user=user, password=stack.secrets.password(user),
            replication="true", dbname="replication",
        )  # fmt: skip


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_it_enters_no_other_database(stack: Settings, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
        psycopg.connect(
            host=HOST, port=stack.port("sources"), user="cdc", password=stack.secrets.password("cdc"), dbname=database
        )
