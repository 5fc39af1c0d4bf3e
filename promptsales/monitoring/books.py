"""Find the problems that the warehouse's own books show: late feeds, old quarantine, dead letters, stale marts.

One session with the warehouse is enough, so `promptsales doctor` and the Warehouse page report the same findings.
"""

from collections.abc import Iterator
from datetime import timedelta

import psycopg

from promptsales.feeds import manual_release
from promptsales.feeds.manual_release import RuleCount
from promptsales.feeds.models import GAP
from promptsales.marts.locks import LONG, find_long_builds
from promptsales.monitoring.findings import Finding, show_second
from promptsales.monitoring.freshness import freshness
from promptsales.specs.stream import stream_contracts
from promptsales.specs.value_limits import TOO_LARGE
from promptsales.stream import absent_columns, dead_letter_desk
from promptsales.stream.absent_columns import NOT_SENT

# rows that stay in quarantine longer than this will not be fixed without a reminder
FORGOTTEN = timedelta(days=7)

# how to fix a late feed, by whether it is streamed
_WAKE = {
    False: "check that its DAG is unpaused and its last run succeeded; end the transaction that holds it, if any",
    True: "run `promptsales connectors status` to see at which hop it lags",
}
_OTHER_ZONE = "select zone, array_agg(mart order by mart) from ops.mart where zone <> %s group by zone order by zone"
_UNNAMED = """
    select topic, sum(unnamed_events) from ops.stream_offset
    group by topic having max(unnamed_at) > clock_timestamp() - interval '1 day' order by topic
"""


def find_in_books(warehouse: psycopg.Connection, reporting_zone: str) -> Iterator[Finding]:
    """Yield every finding that one session with the warehouse shows."""
    yield from find_late_feeds(warehouse)
    yield from _find_marts_of_another_zone(warehouse, reporting_zone)
    yield from check_builds(warehouse)
    yield from find_quarantined(warehouse)
    yield from find_dead_letters(warehouse)
    yield from _find_unnamed_fields(warehouse)
    yield from find_absent_columns(warehouse)


def find_late_feeds(warehouse: psycopg.Connection) -> Iterator[Finding]:
    """Report feeds that are late or stale, and feeds of which nobody knows how far they are complete."""
    for feed in freshness(warehouse):
        if feed.state in ("late", "stale"):
            held = f", held by {feed.held_by}" if feed.held_by else ""
            what = f"complete only through {show_second(feed.complete_through)}{held}"
            yield Finding(f"feed {feed.feed}", what, _WAKE[feed.is_streamed])
        elif GAP in (feed.held_by or ""):
            todo = f"run `promptsales reconcile {feed.feed}`; the next load then sets complete_through again"
            yield Finding(f"feed {feed.feed}", f"complete_through is unknown: {feed.held_by}", todo)


def _find_marts_of_another_zone(warehouse: psycopg.Connection, reporting_zone: str) -> Iterator[Finding]:
    for zone, names in warehouse.execute(_OTHER_ZONE, [reporting_zone]):
        what = f"built by days of {zone}; the reporting zone is now {reporting_zone}"
        yield Finding(f"marts {', '.join(names)}", what, f"run `promptsales build {' '.join(names)}`")


def check_builds(warehouse: psycopg.Connection, at_least: timedelta = LONG) -> Iterator[Finding]:
    """Report builds that run longer than usual."""
    for build in find_long_builds(warehouse, at_least):
        yield Finding(
            f"mart {build.mart}",
            f"{build.taken_by} (session {build.pid}) has been building it since "
            f"{show_second(build.taken_at)}; the slowest of its last 20 builds took "
            f"{build.slowest.total_seconds():.0f} s",
            f"look for its progress in the log of the run; if it makes none, run `select pg_terminate_backend("
            f"{build.pid})` in the warehouse: the mart stays as it was, and the next build repeats it",
        )


def find_quarantined(warehouse: psycopg.Connection) -> Iterator[Finding]:
    """Report rows in quarantine that do not leave it without help."""
    for count in manual_release.count_by_rule(warehouse):
        if problem := _describe_quarantined(count):
            yield Finding(f"feed {count.feed}", *problem)


def _describe_quarantined(count: RuleCount) -> tuple[str, str] | None:
    """Return what is wrong and what to do; None for rows that the next loads may still fix."""
    if count.rule.endswith("_twice"):
        # reported at once: the other row, at the source or in core, seldom goes away without help
        return (
            f"{count.rows} rows broke {count.rule}: another row has the same value",
            f"correct one row of each pair at the source, or run `promptsales reconcile {count.feed}`, which finds "
            "rows that were deleted there",
        )
    if count.rule.endswith(TOO_LARGE.format("")):
        return (
            f"{count.rows} rows broke {count.rule}: the value is too large for the stream",
            "shorten it at the source, or wait for the next `stream_audit`, which reads the row there",
        )
    if count.rule.endswith(NOT_SENT):
        return (
            f"{count.rows} rows lack {count.rule.removesuffix(NOT_SENT)}, which the source did not send",
            "wait for the next `stream_audit`, which reads them from the source; check that the DAG succeeds",
        )
    if count.age > FORGOTTEN:
        return (
            f"{count.rows} rows broke {count.rule}, the first {count.age.days} days ago",
            "fix them at the source, or run `promptsales quarantine release`",
        )
    return None


def find_dead_letters(warehouse: psycopg.Connection) -> Iterator[Finding]:
    """Report topics with dead letters."""
    for topic, count in dead_letter_desk.count_letters(warehouse).items():
        yield Finding(
            f"topic {topic}",
            f"{count:.0f} of its messages are dead letters: the warehouse lacks their changes",
            "run `promptsales dlq list` for the reasons; fix the cause, then run `promptsales dlq replay` or "
            "`promptsales dlq drop`",
        )


def _find_unnamed_fields(warehouse: psycopg.Connection) -> Iterator[Finding]:
    for topic, events in warehouse.execute(_UNNAMED):
        yield Finding(
            f"topic {topic}",
            f"{events} of its events had a field that no contract names, the last within a day; it was dropped",
            "name it in the contract, or remove it from the publication and the connector "
            "(`promptsales connectors apply`)",
        )


def find_absent_columns(warehouse: psycopg.Connection) -> Iterator[Finding]:
    """Report each table whose events lacked columns."""
    tables = {contract.topic: contract for contract in stream_contracts().values()}
    for absence in absent_columns.read_marked_topics(warehouse):
        contract = tables.get(absence.topic)
        where = f"table {contract.layer}.{contract.table}" if contract else f"topic {absence.topic}"
        yield Finding(
            where,
            f"{absence.events} events lacked {', '.join(absence.columns)}, the last at "
            f"{show_second(absence.last_at)}: existing rows keep their values, and new rows are in quarantine",
            absent_columns.HOW_TO_FIX,
        )
