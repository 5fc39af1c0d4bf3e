"""The whole local stack: up, down, status."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import Literal

from pydantic import BaseModel, ConfigDict

from local import preflight, processes
from local.airflow import Airflow, create_fernet
from local.connect import Connect
from local.jars import LOCK, read_lock
from local.kafka import Kafka
from local.mongo import Mongo
from local.postgres import Postgres
from local.redis import Redis
from local.service import Service
from local.start import Abandoned, Start, State, youngest
from local.stream import Stream
from local.supervisor import Process, Supervisor, render
from promptsales.errors import ConfigError, PipelineError
from promptsales.java import JARS, java
from promptsales.settings import ROOT, Settings

ROLES = (
    "promptsales_owner",
    "promptads_owner",
    "promptcrm_owner",
    "etl_reader",
    "cdc",
    "warehouse_loader",
    "bi",
    "airflow",
)
SECRETS = (
    "postgres", *ROLES, "redis", "mongo_admin", "mongo_promptcontent", "mongo_promptcontent_etl", "mongo_keyfile",
    "airflow_admin", "airflow_jwt", "airflow_api_secret", "pii_key_1",
)  # fmt: skip
STOP_S = 40

Progress = Callable[[str, State, float], None]


class ServiceStatus(BaseModel):
    """One line of ``promptsales status``; ``memory_mb`` is the share of the service and all it started."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    address: str
    memory_mb: int
    health: Literal["healthy", "unwell", "down"]
    hint: str


def services(settings: Settings) -> list[Service]:
    """All services; each stands after those it needs."""
    clusters = [Postgres(settings, "warehouse"), Postgres(settings, "sources")]
    servers = [Kafka(settings), Mongo(settings), Redis(settings), Connect(settings), Airflow(settings)]
    return [*clusters, *servers, Stream(settings)]


def up(settings: Settings, on_progress: Progress) -> None:
    """Start everything that does not run, in as much parallel as the services' needs allow; wait until all is healthy.

    Args:
        settings: where the state lies and which ports are used.
        on_progress: told of every service's state and the seconds since the beginning.

    Raises:
        PipelineError: when the machine cannot carry the stack or a service does not come up; one line.
    """
    with _one_line("the stack cannot be started"):
        preflight.own_state(settings.state)
        with _alone(settings.state):
            _up(settings, on_progress)


@contextmanager
def _one_line(what: str) -> Iterator[None]:
    """Turn the system's refusals (a read-only disk, a folder of another user) into an error of ours."""
    try:
        yield
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise ConfigError(f"{what}:{where} {error.strerror or error}") from None


def _up(settings: Settings, on_progress: Progress) -> None:
    _create_secrets(settings)
    wanted = services(settings)
    supervisor = Supervisor(settings.state)
    _launch(settings, supervisor, wanted)
    began, given_up = time.monotonic(), Event()
    with ThreadPoolExecutor(len(wanted)) as pool:
        jobs: dict[str, Future[None]] = {}
        for service in wanted:
            start = Start(
                service, supervisor, given_up, lambda name, state: on_progress(name, state, time.monotonic() - began)
            )
            jobs[service.name] = pool.submit(start, [jobs[name] for name in service.needs])
        try:
            _raise_cause([job.exception() for job in jobs.values()])
        finally:
            given_up.set()


def _raise_cause(errors: list[BaseException | None]) -> None:
    """Raise the error that made the others give up, not one of those."""
    found = [error for error in errors if error]
    if found:
        raise next((error for error in found if not isinstance(error, Abandoned)), found[0])


def _create_secrets(settings: Settings) -> None:
    for name in SECRETS:
        settings.secrets.create(name)
    create_fernet(settings)


def _launch(settings: Settings, supervisor: Supervisor, wanted: list[Service]) -> None:
    """Have a supervisor run with the configuration of today, and nothing of an earlier one in its way."""
    files = {path: text for service in wanted for path, text in service.files().items()}
    programs = [program for service in wanted for program in service.programs()]
    files[supervisor.conf] = render(supervisor.run, supervisor.logs, programs)
    stamp, fingerprint = supervisor.run / "fingerprint", _fingerprint(files)
    if supervisor.processes():
        if stamp.exists() and stamp.read_text() == fingerprint:
            return
        _stop(settings)
    processes.stop(processes.leftovers(settings.state))
    preflight.check_disk(settings.state)
    preflight.check_ports(wanted)
    for path, text in files.items():
        _write(path, text)
    stamp.write_text(fingerprint)
    supervisor.launch()


def _fingerprint(files: dict[Path, str]) -> str:
    """Changes with every setting, secret and installed version."""
    installed = ROOT / ".venv" / ".installed"
    parts = [installed.read_text() if installed.exists() else "", *(f"{path}\n{text}" for path, text in files.items())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def down(settings: Settings, remove: bool = False) -> None:
    """Stop everything; nothing is left running.

    Args:
        settings: which stack.
        remove: delete the state folder too, if it is one that ``up`` made.

    Raises:
        ConfigError: when asked to remove a folder that is not ours.
    """
    state = settings.state
    with _one_line("the stack cannot be stopped"):
        if not state.exists():
            return
        preflight.check_ours(state)
        with _alone(state):
            _stop(settings)
            if remove:
                shutil.rmtree(state)


def _stop(settings: Settings) -> None:
    """Those that need another service first, then all others, then the supervisor; and whatever is left."""
    supervisor = Supervisor(settings.state)
    if supervisor.processes():
        for has_needs in (True, False):
            chosen = [service for service in services(settings) if bool(service.needs) is has_needs]
            supervisor.stop({program.name for service in chosen for program in service.programs()}, STOP_S)
        supervisor.end(STOP_S)
    processes.stop(processes.leftovers(settings.state))


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Let one `up` or `down` at a time touch a state folder."""
    with (state / preflight.MARK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def status(settings: Settings) -> list[ServiceStatus]:
    """Ask every service how it is, all at the same time."""
    known = Supervisor(settings.state).processes() if settings.state.exists() else {}
    wanted = services(settings)
    with ThreadPoolExecutor(len(wanted)) as pool:
        return [*pool.map(lambda service: _status(service, known), wanted), _spark()]


def _status(service: Service, known: dict[str, Process]) -> ServiceStatus:
    mine = [known[program.name] for program in service.programs() if program.name in known] if known else []
    running = [process for process in mine if process.pid]
    said, health, hint = "", "down", "`promptsales up` starts it"
    if running:
        try:
            said, health, hint = service.probe(youngest(running)), "healthy", ""
        except PipelineError as error:
            health, hint = "unwell", f"{error}; `promptsales logs {running[0].name}` may say why"
    memory = processes.memory_mb(process.pid for process in running)
    return ServiceStatus(
        name=service.name, version=said, address=service.address, memory_mb=memory, health=health, hint=hint
    )


def _spark() -> ServiceStatus:
    """Spark runs only while a mart is built: what counts is that its Java and its driver are there."""
    found = java()
    missing = [jar.path for jar in read_lock(LOCK.read_text()) if not (JARS / jar.path).exists()]
    return ServiceStatus(
        name="spark",
        version=f"{version('pyspark')}, java {found.version} ({found.origin})",
        address="in process",
        memory_mb=0,
        health="unwell" if missing else "healthy",
        hint=f"{len(missing)} jars are missing: `make setup` brings them" if missing else "",
    )
