"""A streaming standby of the sources cluster: a second real server, started with the code of the local stack."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from local.account import account, as_account
from local.postgres import server_home
from promptsales.settings import HOST, Settings

START_S = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _copy(stack: Settings, draft: Path) -> None:
    """Take a base backup that follows its primary once it is started."""
    if name := account():
        shutil.chown(draft, name)
    program = server_home(stack.state) / "bin" / "pg_basebackup"
    command = [str(program), "-D", str(draft / "data"), "-R", "-X", "stream"]
    command += [
        "--checkpoint=fast",
        "-d",
        make_conninfo(stack.address("sources_admin"), password="", dbname="postgres"),
    ]
    environment = {"PGPASSWORD": stack.secrets.password("postgres")}
    subprocess.run(command, check=True, capture_output=True, cwd=draft, env=environment, **as_account())


@contextmanager
def standby(stack: Settings) -> Iterator[int]:
    """Run a standby of the sources cluster and yield its port."""
    draft, port = stack.state / "standby", _free_port()
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o755)
    _copy(stack, draft)
    config = stack.state / "data" / "sources.conf"
    program = server_home(stack.state) / "bin" / "postgres"
    command = [str(program), "-D", str(draft / "data"), "-c", f"config_file={config}"]
    command += ["-c", f"port={port}", "-c", "cluster_name=standby"]
    with (draft / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, **as_account()) as server:
        try:
            _wait(stack, port)
            yield port
        finally:
            server.terminate()
    shutil.rmtree(draft)


def at(address: str, port: int) -> str:
    """Return the same connection string for the standby."""
    return make_conninfo(address, host=HOST, port=port)


def _wait(stack: Settings, port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            psycopg.connect(at(stack.address("sources_admin"), port), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the standby did not start")


def caught_up(primary: psycopg.Connection, follower: psycopg.Connection) -> None:
    """Wait until the standby has replayed everything that the primary has written by now."""
    (lsn,) = primary.execute("select pg_current_wal_lsn()").fetchone() or (None,)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if follower.execute("select pg_last_wal_replay_lsn() >= %s", [lsn]).fetchone() == (True,):
            return
        time.sleep(0.05)
    raise AssertionError("the standby does not follow")
