"""Find every problem in contracts, schemas, sources, feeds, marts and the stream, and say how to fix it."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg

from promptsales.connections import connected
from promptsales.errors import ConfigError, PipelineError, SourceRefused
from promptsales.extract import drift
from promptsales.extract.opening import open_source
from promptsales.extract.sources import make_reader
from promptsales.feeds import manual_release
from promptsales.feeds.models import GAP
from promptsales.marts.locks import LONG, find_long_builds
from promptsales.monitoring import freshness, stream_doctor
from promptsales.monitoring.findings import Finding
from promptsales.privacy import rotation
from promptsales.provision import provision
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import Mart, tables
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import read_suite
from promptsales.specs.value_limits import TOO_LARGE
from promptsales.stream import dead_letter_desk
from promptsales.stream.absent_columns import NOT_SENT

# rows that stay in quarantine longer than this will not be fixed without a reminder
FORGOTTEN = timedelta(days=7)


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Run every probe and yield its findings; a probe that fails is a finding too."""
    probes: dict[str, Callable[[Settings], Iterator[Finding]]] = {
        "contracts": _contracts,
        "schemas": _schemas,
        "sources": _sources,
        "feeds": _feeds,
        "marts": _marts,
        "publications": stream_doctor.check_publications,
        "hidden rows": stream_doctor.check_hidden_rows,
        "stream": stream_doctor.check_streams,
        "quarantine": _quarantine,
        "dead letters": _dead_letters,
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


def _feeds(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        for feed in freshness.freshness(warehouse):
            if feed.state in ("late", "stale"):
                held = f", held by {feed.held_by}" if feed.held_by else ""
                what = f"complete only through {feed.complete_through}{held}"
                yield Finding(f"feed {feed.feed}", what, _WAKE[feed.is_streamed])
            elif GAP in (feed.held_by or ""):
                todo = f"run `promptsales reconcile {feed.feed}`; the next load then sets complete_through again"
                yield Finding(f"feed {feed.feed}", f"complete_through is unknown: {feed.held_by}", todo)


def _marts(settings: Settings) -> Iterator[Finding]:
    """Report marts that were built for another reporting zone, and builds that run longer than usual."""
    query = "select zone, array_agg(mart order by mart) from ops.mart where zone <> %s group by zone order by zone"
    with connected(settings, "warehouse") as warehouse:
        for zone, names in warehouse.execute(query, [settings.reporting_timezone]):
            what = f"built by days of {zone}; the reporting zone is now {settings.reporting_timezone}"
            yield Finding(f"marts {', '.join(names)}", what, f"run `promptsales build {' '.join(names)}`")
        yield from check_builds(warehouse)


def check_builds(warehouse: psycopg.Connection, at_least: timedelta = LONG) -> Iterator[Finding]:
    """Report builds that run longer than usual."""
    for build in find_long_builds(warehouse, at_least):
        yield Finding(
            f"mart {build.mart}",
            f"session {build.pid} has been building it since {build.connected_at:%Y-%m-%d %H:%M:%S} UTC; the slowest "
            f"of its last 20 builds took {build.slowest.total_seconds():.0f} s",
            f"look for its progress in the log of the run; if it makes none, run `select pg_terminate_backend("
            f"{build.pid})` in the warehouse: the mart stays as it was, and the next build repeats it",
        )


# how to fix a late feed, by whether it is streamed
_WAKE = {
    False: "check that its DAG is unpaused and its last run succeeded; end the transaction that holds it, if any",
    True: "run `promptsales connectors status` to see at which hop it lags",
}


def _quarantine(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        for count in manual_release.count_by_rule(warehouse):
            if count.rule.endswith("_twice"):
                # reported at once: the other row, at the source or in core, seldom goes away without help
                what = f"{count.rows} rows broke {count.rule}: another row has the same value"
                todo = (
                    f"correct one row of each pair at the source, or run `promptsales reconcile {count.feed}`, which "
                    "finds rows that were deleted there"
                )
                yield Finding(f"feed {count.feed}", what, todo)
            elif count.rule.endswith(TOO_LARGE.format("")):
                what = f"{count.rows} rows broke {count.rule}: the value is too large for the stream"
                todo = "shorten it at the source, or wait for the next `stream_audit`, which reads the row there"
                yield Finding(f"feed {count.feed}", what, todo)
            elif count.rule.endswith(NOT_SENT):
                what = f"{count.rows} rows lack {count.rule.removesuffix(NOT_SENT)}, which the source did not send"
                todo = "wait for the next `stream_audit`, which reads them from the source; check that the DAG succeeds"
                yield Finding(f"feed {count.feed}", what, todo)
            elif count.age > FORGOTTEN:
                what = f"{count.rows} rows broke {count.rule}, the first {count.age.days} days ago"
                todo = "fix them at the source, or run `promptsales quarantine release`"
                yield Finding(f"feed {count.feed}", what, todo)


def _dead_letters(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        for topic, count in dead_letter_desk.count_letters(warehouse).items():
            yield Finding(
                f"topic {topic}",
                f"{count:.0f} of its messages are dead letters: the warehouse lacks their changes",
                "run `promptsales dlq list` for the reasons; fix the cause, then run `promptsales dlq replay` or "
                "`promptsales dlq drop`",
            )


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
