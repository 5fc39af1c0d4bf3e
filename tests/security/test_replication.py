"""What the password of Debezium's role gives to somebody who holds it."""

import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from local.postgres import server_home
from promptsales.provision.replication import find_open_rules
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


def test_its_own_connection_can_still_copy(stack: Settings) -> None:
    # docs/explanation/security.md says that this remains: PostgreSQL has no setting against it
    address = make_conninfo(stack.address("promptcrm_cdc"), replication="database")
    connection = psycopg.pq.PGconn.connect(address.encode())
    try:
        result = connection.exec_(b"BASE_BACKUP (CHECKPOINT 'fast', WAIT false)")
        assert result.status == psycopg.pq.ExecStatus.COPY_OUT
        assert connection.get_copy_data(0)[0] > 0
    finally:
        connection.finish()


def test_an_open_rule_is_reported(stack: Settings) -> None:
    rules = stack.state / "data" / "sources.hba"
    text = rules.read_text()
    with psycopg.connect(stack.address("sources_admin"), autocommit=True) as admin:
        assert list(find_open_rules(admin, "sources")) == []
        try:
            rules.write_text("host replication all 127.0.0.1/32 scram-sha-256\n" + text)
            (change,) = find_open_rules(admin, "sources")
        finally:
            rules.write_text(text)
    assert change.is_warning
    assert change.what.startswith(f"line 1 of {rules} lets cdc copy the whole cluster with pg_basebackup; name the")


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_it_enters_no_other_database(stack: Settings, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
        psycopg.connect(
            host=HOST, port=stack.port("sources"), user="cdc", password=stack.secrets.password("cdc"), dbname=database
        )
