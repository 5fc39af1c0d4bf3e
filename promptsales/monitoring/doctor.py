"""Find every problem in contracts, schemas, sources, feeds, marts and the stream, and say how to fix it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from promptsales.connections import connected
from promptsales.errors import ConfigError, PipelineError, SourceRefused
from promptsales.extract import drift
from promptsales.extract.opening import open_source
from promptsales.extract.sources import make_reader
from promptsales.monitoring import stream_doctor
from promptsales.monitoring.books import find_in_books
from promptsales.monitoring.findings import Finding
from promptsales.privacy import rotation
from promptsales.provision import provision
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import Mart, tables
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import read_suite


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Run every probe and yield its findings; a probe that fails is a finding too."""
    probes: dict[str, Callable[[Settings], Iterator[Finding]]] = {
        "contracts": _contracts,
        "schemas": _schemas,
        "sources": _sources,
        "books": _books,
        "publications": stream_doctor.check_publications,
        "hidden rows": stream_doctor.check_hidden_rows,
        "stream": stream_doctor.check_streams,
        "rotation": _rotation,
        "airflow": check_cleanup,
    }
    for name, probe in probes.items():
        try:
            yield from probe(settings)
        except PipelineError as error:
            yield Finding(name, str(error), "fix this first: the rest of this check did not run")


def _contracts(settings: Settings) -> Iterator[Finding]:
    known: dict[str, Contract | StreamContract | Mart] = {**contracts(), **stream_contracts(), **tables()}
    for name, table in known.items():
        try:
            read_suite(table)
        except ConfigError as error:
            yield Finding(f"suite {name}", str(error), "correct expectations.yml: the table is not judged until then")
        if not (table.folder / "table.sql").is_file():
            yield Finding(f"contract {name}", "no table.sql", f"add the DDL to {table.folder}")


def _schemas(settings: Settings) -> Iterator[Finding]:
    for change in provision(settings, dry_run=True):
        todo = "fix this manually" if change.is_warning else "run `promptsales provision`"
        yield Finding(
            change.system, change.what if change.is_warning else f"differs from the files: {change.what}", todo
        )


def _sources(settings: Settings) -> Iterator[Finding]:
    for contract in contracts().values():
        with open_source(settings, contract) as source:
            try:
                reader = make_reader(contract, source)
                reader.read_clock()
                reader.read_key()
                reader.refuse_drift()
            except SourceRefused as error:
                yield Finding(f"feed {contract.table}", str(error), "fix this: the feed does not load until then")
            if isinstance(source, psycopg.Connection):
                yield from _check_clear_text_rights(contract, source)
                yield from _check_new_columns(contract, source)


_READABLE = Path(__file__).with_name("readable_columns.sql").read_bytes()


def _check_clear_text_rights(contract: Contract, source: psycopg.Connection) -> Iterator[Finding]:
    """Report a table that the pipeline's role may read directly instead of through the hashing view."""
    columns = [name for (name,) in source.execute(_READABLE, [contract.source.relation])]
    if columns:
        relation = contract.source.relation
        yield Finding(
            f"feed {contract.table}",
            f"the pipeline's role may read {len(columns)} columns of {relation} in clear text",
            f"revoke its rights on {relation}: it needs only the view etl.{contract.table}",
        )


def _check_new_columns(contract: Contract, source: psycopg.Connection) -> Iterator[Finding]:
    if names := drift.find_new_columns(contract, source):
        yield Finding(
            f"feed {contract.table}",
            f"{contract.source.relation} has columns that the contract does not name and no load reads: "
            f"{', '.join(names)}",
            f"add each to columns or unread in {contract.folder / 'contract.yml'} (docs/how-to/source-changes.md)",
        )


def _books(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        yield from find_in_books(warehouse, settings.reporting_timezone)


def _rotation(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        newest = rotation.read_newest(warehouse)
        if newest and newest.finished_at is None:
            steps = list(rotation.list_steps(settings, warehouse, newest))
            yield Finding("hashing key", rotation.describe(newest, steps), "run `promptsales pii rotate`")


# `local/airflow_cleanup.py` touches this file of the state folder after each of its daily cleanups
_CLEANED = Path("data", "airflow", ".cleaned")
_OVERDUE_DAYS = 3


def check_cleanup(settings: Settings) -> Iterator[Finding]:
    """Report logs and metadata of the local Airflow that are kept for longer than the docs state."""
    stamp = settings.state / _CLEANED
    if stamp.exists() and (days := (time.time() - stamp.stat().st_mtime) / 86_400) > _OVERDUE_DAYS:
        what = f"its old logs and metadata were last deleted {days:.0f} days ago, which should happen daily"
        yield Finding("airflow", what, "run `promptsales up`, and look into logs/airflow-cleanup.log an hour later")
