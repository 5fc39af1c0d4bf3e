"""The local stack as a whole: start it, stop it, report its status."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import Literal

from pydantic import BaseModel, ConfigDict

from local import preflight, processes
from local.airflow import AirflowService, create_fernet
from local.connect import Connect
from local.jars import LOCK, read_lock
from local.kafka import Kafka
from local.mongo import Mongo
from local.postgres import Postgres
from local.redis import Redis
from local.service import Service
from local.start import Abandoned, Start, State, last_start
from local.stream import Stream
from local.supervisor import Process, Supervisor, render
from promptsales.errors import ConfigError, PipelineError
from promptsales.java import JARS, java
from promptsales.settings import ROOT, Settings
from promptsales.settings_file import find_settings_file

ROLES = (
    "promptsales_owner",
    "promptads_owner",
    "promptcrm_owner",
    "etl_reader",
    "etl_audit",
    "cdc",
    "warehouse_loader",
    "bi",
    "airflow",
)
SECRETS = (
    "postgres", *ROLES, "redis", "mongo_admin", "mongo_promptcontent", "mongo_promptcontent_etl", "mongo_keyfile",
    "kafka_operator", "kafka_connect", "kafka_stream", "kafka_content", "kafka_alerts", "connect",
    "airflow_admin", "airflow_jwt", "airflow_api_secret", "pii_key_1",
)  # fmt: skip
STOP_S = 40

OnProgress = Callable[[str, State, float], None]


class ServiceStatus(BaseModel):
    """A line of ``promptsales status``; ``memory_mb`` covers the service's processes and their descendants."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    address: str
    memory_mb: int
    health: Literal["healthy", "unwell", "down"]
    hint: str


def services(settings: Settings) -> list[Service]:
    """Return all services, each after those it needs."""
    clusters = [Postgres(settings, "warehouse"), Postgres(settings, "sources")]
    servers = [Kafka(settings), Mongo(settings), Redis(settings), Connect(settings), AirflowService(settings)]
    return [*clusters, *servers, Stream(settings)]


def up(settings: Settings, on_progress: OnProgress, only: Collection[str] = ()) -> None:
    """Start every service that does not run, in parallel where their needs allow, and wait until all are healthy.

    Args:
        settings: give the state folder and the ports.
        on_progress: called with a service's name, its state and the seconds since the beginning.
        only: start only the services of these names, with all that they need; empty for all.

    Raises:
        PipelineError: when the machine cannot run the stack or a service does not start; the message is one line.
    """
    with _translate_os_errors("the stack cannot be started"):
        preflight.claim_state(settings.state)
        with _lock(settings.state):
            _up(settings, on_progress, only)


@contextmanager
def _translate_os_errors(failure: str) -> Iterator[None]:
    """Turn an error of the operating system (a read-only disk, a folder of another user) into a ``ConfigError``."""
    try:
        yield
    except OSError as error:
        path = f" {error.filename}" if error.filename else ""
        raise ConfigError(f"{failure}:{path} {error.strerror or error}") from None


def _up(settings: Settings, on_progress: OnProgress, only: Collection[str]) -> None:
    for name in SECRETS:
        settings.secrets.create(name)
    create_fernet(settings)
    stack = [service for service in services(settings) if not only or service.name in only]
    supervisor = Supervisor(settings.state)
    _launch(settings, supervisor, stack)
    began, given_up = time.monotonic(), Event()
    with ThreadPoolExecutor(len(stack)) as pool:
        jobs: dict[str, Future[None]] = {}
        for service in stack:
            start = Start(
                service, supervisor, given_up, lambda name, state: on_progress(name, state, time.monotonic() - began)
            )
            jobs[service.name] = pool.submit(start, [jobs[name] for name in service.needs])
        try:
            _raise_cause([error for job in jobs.values() if (error := job.exception())])
        finally:
            given_up.set()


def _raise_cause(errors: list[BaseException]) -> None:
    """Raise the error that made the other services give up, if there is any."""
    if errors:
        raise next((error for error in errors if not isinstance(error, Abandoned)), errors[0])


def _launch(settings: Settings, supervisor: Supervisor, stack: list[Service]) -> None:
    """Start a supervisor with the current configuration, unless one runs; stop one with an older configuration."""
    files = {path: text for service in stack for path, text in service.files().items()}
    programs = [program for service in stack for program in service.programs()]
    files[supervisor.conf] = render(supervisor.run, supervisor.logs, programs)
    stamp, fingerprint = supervisor.run / "fingerprint", _fingerprint(settings, files)
    if supervisor.processes():
        if stamp.exists() and stamp.read_text() == fingerprint:
            return
        _stop(settings)
    processes.stop(processes.find_leftovers(settings.state))
    preflight.check_disk(settings.state)
    preflight.check_ports(stack)
    for path, text in files.items():
        _write(path, text)
    stamp.write_text(fingerprint)
    supervisor.launch()


def _fingerprint(settings: Settings, files: dict[Path, str]) -> str:
    """Return a hash that changes with every setting, secret and installed version."""
    others = (ROOT / ".venv" / ".installed", find_settings_file(settings.state))
    parts = [path.read_text(encoding="utf-8") for path in others if path and path.exists()]
    parts += [f"{path}\n{text}" for path, text in files.items()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def down(settings: Settings, remove: bool = False) -> None:
    """Stop all services and the supervisor.

    Args:
        settings: give the state folder.
        remove: delete the state folder too.

    Raises:
        ConfigError: when ``up`` did not create the state folder.
    """
    state = settings.state
    with _translate_os_errors("the stack cannot be stopped"):
        if not state.exists():
            return
        preflight.check_ours(state)
        with _lock(state):
            _stop(settings)
            if remove:
                shutil.rmtree(state)


def _stop(settings: Settings) -> None:
    """Stop the services that need another one, then all others, then the supervisor and what is left."""
    supervisor = Supervisor(settings.state)
    if supervisor.processes():
        for has_needs in (True, False):
            group = [service for service in services(settings) if bool(service.needs) is has_needs]
            supervisor.stop({program.name for service in group for program in service.programs()}, STOP_S)
        supervisor.end(STOP_S)
    processes.stop(processes.find_leftovers(settings.state))


@contextmanager
def _lock(state: Path) -> Iterator[None]:
    """Lock a state folder: only one `up` or `down` at a time may change it."""
    with (state / preflight.MARK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def status(settings: Settings) -> list[ServiceStatus]:
    """Return the status of every service; all are asked at the same time."""
    known = Supervisor(settings.state).processes() if settings.state.exists() else {}
    stack = services(settings)
    with ThreadPoolExecutor(len(stack)) as pool:
        return [*pool.map(lambda service: _service_status(service, known), stack), _spark_status()]


def _service_status(service: Service, known: dict[str, Process]) -> ServiceStatus:
    # without a supervisor no program runs, and a program's settings may need a secret that does not exist yet
    programs = service.programs() if known else []
    running = [known[program.name] for program in programs if program.name in known and known[program.name].pid]
    answer, health, hint = "", "down", "start it with `promptsales up`"
    if running:
        try:
            answer, health, hint = service.probe(last_start(running)), "healthy", ""
        except PipelineError as error:
            health, hint = "unwell", f"{error}; see `promptsales logs {running[0].name}`"
    memory = processes.memory_mb(process.pid for process in running)
    return ServiceStatus(
        name=service.name, version=answer, address=service.address, memory_mb=memory, health=health, hint=hint
    )


def _spark_status() -> ServiceStatus:
    """Return whether Spark's Java and jars are installed: it runs only while a mart is built."""
    runtime = java()
    missing = [jar.path for jar in read_lock(LOCK.read_text()) if not (JARS / jar.path).exists()]
    return ServiceStatus(
        name="spark",
        version=f"{version('pyspark')}, java {runtime.version} ({runtime.origin})",
        address="in process",
        memory_mb=0,
        health="unwell" if missing else "healthy",
        hint=f"{len(missing)} jars are missing; install them with `make setup`" if missing else "",
    )
