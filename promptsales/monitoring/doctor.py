"""Everything that is not as it must be, with what to do about it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg

from promptsales.connections import connected
from promptsales.errors import ConfigError, PipelineError, SourceRefused
from promptsales.extract import drift
from promptsales.extract.opening import opened
from promptsales.extract.sources import reader_of
from promptsales.feeds import manual_release
from promptsales.feeds.models import GAP
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
from promptsales.stream import dead_letters
from promptsales.stream.absent_columns import NOT_SENT

# rows that wait longer than this in quarantine are forgotten rather than waited for
FORGOTTEN = timedelta(days=7)


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Every finding, one probe after the other; a probe that cannot run is a finding itself."""
    probes: dict[str, Callable[[Settings], Iterator[Finding]]] = {
        "contracts": _contracts,
        "schemas": _schemas,
        "sources": _sources,
        "feeds": _feeds,
        "marts": _marts,
        "publications": stream_doctor.publications,
        "hidden rows": stream_doctor.hidden,
        "stream": stream_doctor.streams,
        "quarantine": _quarantine,
        "dead letters": _dead_letters,
        "rotation": _rotation,
    }
    for name, probe in probes.items():
        try:
            yield from probe(settings)
        except PipelineError as error:
            yield Finding(name, str(error), "mend this first: what comes after it was not looked at")


def _contracts(settings: Settings) -> Iterator[Finding]:
    known: dict[str, Contract | StreamContract | Mart] = {**contracts(), **stream_contracts(), **tables()}
    for name, table in known.items():
        try:
            read_suite(table)
        except ConfigError as error:
            yield Finding(f"suite {name}", str(error), "correct expectations.yml: the table is not judged until then")
        if not (table.folder / "table.sql").is_file():
            yield Finding(f"contract {name}", "has no table.sql", f"add the DDL to {table.folder}")


def _schemas(settings: Settings) -> Iterator[Finding]:
    for change in provision(settings, dry_run=True):
        todo = "look at it" if change.is_warning else "run `promptsales provision`"
        yield Finding(
            change.system, change.what if change.is_warning else f"differs from the files: {change.what}", todo
        )


def _sources(settings: Settings) -> Iterator[Finding]:
    for contract in contracts().values():
        with opened(settings, contract) as source:
            try:
                reader = reader_of(contract, source)
                reader.look()
                reader.read_key()
                reader.refuse_drift()
            except SourceRefused as error:
                yield Finding(f"feed {contract.table}", str(error), "the feed does not load before this is mended")
            if isinstance(source, psycopg.Connection):
                yield from _sees_too_much(contract, source)
                yield from _new_columns(contract, source)


_READABLE = Path(__file__).with_name("readable_columns.sql").read_bytes()


def _sees_too_much(contract: Contract, source: psycopg.Connection) -> Iterator[Finding]:
    """The reader may see the hashing view, not what is behind it."""
    columns = [name for (name,) in source.execute(_READABLE, [contract.source.relation])]
    if columns:
        relation = contract.source.relation
        yield Finding(
            f"feed {contract.table}",
            f"the pipeline's role may read {len(columns)} columns of {relation} in clear",
            f"take its rights on {relation} away: it needs the view etl.{contract.table} only",
        )


def _new_columns(contract: Contract, source: psycopg.Connection) -> Iterator[Finding]:
    """What the source has grown; no load reads it."""
    if names := drift.new_columns(contract, source):
        yield Finding(
            f"feed {contract.table}",
            f"{contract.source.relation} has columns the contract does not know: {', '.join(names)}; they are not read",
            f"name each under columns or unread in {contract.folder / 'contract.yml'} (docs/how-to/source-changes.md)",
        )


def _feeds(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        for feed in freshness.freshness(warehouse):
            if feed.state in ("late", "stale"):
                held = f", held by {feed.held_by}" if feed.held_by else ""
                what = f"complete through {feed.complete_through} only{held}"
                yield Finding(f"feed {feed.feed}", what, _WAKE[feed.is_streamed])
            elif GAP in (feed.held_by or ""):
                todo = f"`promptsales reconcile {feed.feed}`; after the next load it is known again"
                yield Finding(f"feed {feed.feed}", f"how far it is complete is not known: {feed.held_by}", todo)


def _marts(settings: Settings) -> Iterator[Finding]:
    """Marts whose days are still those of another zone."""
    query = "select zone, array_agg(mart order by mart) from ops.mart where zone <> %s group by zone order by zone"
    with connected(settings, "warehouse") as warehouse:
        for zone, names in warehouse.execute(query, [settings.reporting_timezone]):
            what = f"built by days of {zone}; the reporting zone is {settings.reporting_timezone} now"
            yield Finding(f"marts {', '.join(names)}", what, f"run `promptsales build {' '.join(names)}`")


# by whether it is streamed
_WAKE = {
    False: "see that its DAG is not paused and its last run went well; end what holds it",
    True: "`promptsales connectors status` says in which hop it waits",
}


def _quarantine(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        for count in manual_release.by_rule(warehouse):
            if count.rule.endswith("_twice"):
                # another row of the source or of core holds the same value: waiting alone seldom helps
                what = f"{count.rows} rows broke {count.rule}: another row has the same value"
                todo = f"correct one of each pair at the source, or run `promptsales reconcile {count.feed}`: "
                yield Finding(f"feed {count.feed}", what, f"{todo}it finds those that were deleted there")
            elif count.rule.endswith(TOO_LARGE.format("")):
                what = f"{count.rows} rows broke {count.rule}: the value is too large for the stream"
                todo = "shorten it at the source, or let the next `stream_audit` read the changed row there"
                yield Finding(f"feed {count.feed}", what, todo)
            elif count.rule.endswith(NOT_SENT):
                what = f"{count.rows} rows wait: the source did not send {count.rule.removesuffix(NOT_SENT)}"
                todo = "the next `stream_audit` reads them from the source; see that DAG runs and does not fail"
                yield Finding(f"feed {count.feed}", what, todo)
            elif count.age > FORGOTTEN:
                what = f"{count.rows} rows broke {count.rule}, the first {count.age.days} days ago"
                yield Finding(
                    f"feed {count.feed}", what, "mend them at the source, or `promptsales quarantine release`"
                )


def _dead_letters(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        for topic, count in dead_letters.count_letters(warehouse).items():
            yield Finding(
                f"topic {topic}",
                f"{count:.0f} of its messages are dead letters: their rows are not in the warehouse as they were sent",
                "`promptsales dlq list` says why; mend that, then `promptsales dlq replay` or `promptsales dlq drop`",
            )


def _rotation(settings: Settings) -> Iterator[Finding]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        newest = rotation.newest(warehouse)
        if newest and newest.finished_at is None:
            steps = list(rotation.steps(settings, warehouse, newest))
            yield Finding("hashing key", rotation.in_words(newest, steps), "run `promptsales pii rotate`")
