"""Spark killed in the middle of a build, and Spark on a cluster: the marts are the same."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pyspark
import pytest

from promptsales.java import java
from promptsales.settings import ROOT, Settings
from tests.integration.marts.conftest import AS_OF, Build
from tests.integration.marts.test_marts import AS_OF_DAY, _differing, fill
from tests.integration.provision.conftest import Connect

MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
PATIENCE_S = 120


def _environment(warehouse: psycopg.Connection) -> dict[str, str]:
    """Return this process's environment with libpq's variables for a connection."""
    info = warehouse.info
    variables = {"PGHOST": info.host, "PGPORT": str(info.port), "PGDATABASE": info.dbname, "PGUSER": info.user}
    return {**os.environ, **variables, "PGPASSWORD": info.password}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", ["Spark", "check", "publish"])
def test_killed_in_the_middle(admin: psycopg.Connection, connect: Connect, run: Build, step: str) -> None:
    fill(admin)
    run("campaign_performance_daily")
    admin.execute("update core.campaign_metrics set spend = spend + 1 where metric_id < 500")
    admin.execute("update ops.mart set definition = 'another'")
    before = admin.execute("select * from marts.campaign_performance_daily order by 1, 2").fetchall()
    with connect("warehouse_loader") as warehouse:
        environment = _environment(warehouse)
    command = [sys.executable, "-m", "tests.integration.marts.building", AS_OF.isoformat()]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdin
        assert process.stdout
        while (line := process.stdout.readline().strip()) != step:
            assert line, f"the build ended before {step}"
            process.stdin.write("go on\n")
            process.stdin.flush()
        # kills Java too: it is in the same process group
        os.killpg(process.pid, signal.SIGKILL)
    assert admin.execute("select * from marts.campaign_performance_daily order by 1, 2").fetchall() == before
    _wait_for_the_lock(admin)
    run("campaign_performance_daily")
    assert _differing(admin, "campaign_performance_daily", AS_OF_DAY) == []


def _wait_for_the_lock(admin: psycopg.Connection) -> None:
    """Wait until PostgreSQL notices that the client is dead, which it does when it next writes to it."""
    for _ in range(PATIENCE_S):
        if admin.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone() == (0,):
            return
        time.sleep(1)
    raise AssertionError("the killed build still holds its lock")


@contextmanager
def cluster(folder: Path, port: int) -> Iterator[str]:
    """Start a standalone cluster of two workers with one core each, and yield its URL."""
    home = Path(pyspark.__file__).parent
    environment = {
        **os.environ,
        "JAVA_HOME": str(java().home),
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(folder),  # Spark's own logging, as ours prints nothing when all is well
        "PYSPARK_PYTHON": sys.executable,
    }
    start = [str(home / "bin" / "spark-class")]
    url = f"spark://127.0.0.1:{port}"
    web = ["--webui-port", "0"]
    commands = [
        [*start, MASTER, "--host", "127.0.0.1", "--port", str(port), *web],
        *(
            [*start, WORKER, "--cores", "1", "--memory", "1g", "--work-dir", str(folder / name), *web, url]
            for name in "ab"
        ),
    ]
    with (folder / "cluster.log").open("w") as log:
        running = [
            subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
            for command in commands
        ]
        try:
            _wait_for(folder / "cluster.log", "Successfully registered with master", 2)
            yield url
        finally:
            for process in running:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(30)


def _wait_for(log: Path, text: str, times: int) -> None:
    for _ in range(PATIENCE_S):
        if log.read_text().count(text) >= times:
            return
        time.sleep(1)
    raise AssertionError(f"{log} does not say {times} times: {text}")


@pytest.mark.timeout(900)
def test_a_cluster_of_two_workers(admin: psycopg.Connection, connect: Connect, stack: Settings, tmp_path: Path) -> None:
    fill(admin)
    with cluster(tmp_path, stack.port_base + 17) as url, connect("warehouse_loader") as warehouse:
        environment = {
            **_environment(warehouse),
            "PROMPTSALES_SPARK_MASTER": url,
            "PROMPTSALES_SPARK_MEMORY": "600m",
            "SPARK_LOCAL_IP": "127.0.0.1",  # the workers call the driver at this address
        }
        command = [sys.executable, "-m", "tests.integration.marts.building", AS_OF.isoformat()]
        result = subprocess.run(
            command, cwd=ROOT, env=environment, input="go on\n" * 9, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr[-2000:]
        used = [name for name in "ab" if list((tmp_path / name).glob("app-*"))]
    assert used == ["a", "b"]
    assert _differing(admin, "campaign_performance_daily", AS_OF_DAY) == []
