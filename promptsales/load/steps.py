"""The three steps of a load: extract, check, publish.

Each step may be killed at any time. Extract leaves rows in staging, which the next extract empties; check leaves marks
on them; publish is one transaction. So the next run always starts from the stored watermark and loads every row.
The caller opens and closes all connections.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from promptsales.erasure import removal, suppression
from promptsales.errors import TerminalError, driver_errors
from promptsales.extract.sources import Source, make_reader
from promptsales.feeds import quarantine, staging, state
from promptsales.feeds.models import Audit, LoadResult, Staged, Window
from promptsales.feeds.reader import Reader, ReadRequest
from promptsales.hashing.keys import CheckedKey
from promptsales.load import merge, rekey
from promptsales.load.clock import Setback, find_setback
from promptsales.settings import Limits, settings
from promptsales.specs.feed import Contract
from promptsales.specs.suite import read_suite

# a run that waits longer than this for the staging table fails, and its task is retried
LOCK_TIMEOUT = "60s"
_DUE = Path(__file__).with_name("due.sql").read_bytes()


def extract(
    contract: Contract,
    source: Source,
    warehouse: psycopg.Connection,
    window: Window | None,
    triggered_by: str,
) -> Staged:
    """Copy a feed's new rows into staging and remove the rows that core already holds.

    If no row is left, the watermark moves at once, and there is nothing to check or publish.

    Args:
        contract: the feed.
        source: the system to read: a connection whose role may read the hashing view, or see `Source`.
        warehouse: a connection to the warehouse as its loader.
        window: the rows to replay, or None for the delta since the watermark.
        triggered_by: the run or command that loads, for the audit row.

    Raises:
        SourceRefused: when a read could lose rows or copy clear text.
        Fenced: when a newer run of the feed has begun.
        TransientError: when a connection is lost or a lock is not granted in time.
    """
    with driver_errors(f"extract {contract.table}"):
        warehouse.autocommit = True
        while True:
            try:
                return _extract(contract, source, warehouse, window, triggered_by)
            except _ErasedRowsFound as error:
                # nothing was staged; the next extract suppresses these rows
                with warehouse.transaction():
                    removal.exclude_others(warehouse)
                    removal.suppress(warehouse, error.rows)
                    removal.remove(warehouse, [row.key for row in error.rows], ())


class _ErasedRowsFound(Exception):
    """Rows have the e-mail hash of an erased person, under ids that are not suppressed yet."""

    def __init__(self, rows: list[suppression.ErasedRow]) -> None:
        super().__init__()
        self.rows = rows


def _extract(
    contract: Contract, source: Source, warehouse: psycopg.Connection, window: Window | None, triggered_by: str
) -> Staged:
    reader = make_reader(contract, source)
    feed_state = state.begin(warehouse, contract.table)
    has_gap = window is None and state.has_gap(warehouse, contract.table)
    read_at = reader.read_clock()
    clock_at = state.read_clock(warehouse) if reader.is_own_clock else None
    back = _setback(contract, reader, warehouse, window, feed_state, read_at)
    feed_state = back.move(feed_state) if back else feed_state
    key, counts = _stage(contract, reader, warehouse, window, feed_state, read_at)
    progress = reader.compute_progress(feed_state, window, key)
    since = feed_state.last_sync_timestamp if feed_state.key in (None, key) else None
    staged = Staged(
        feed=contract.table,
        extraction=feed_state.extraction,
        window=window,
        window_start=window.start if window else since,
        read_at=read_at,
        started_at=feed_state.started_at,
        triggered_by=triggered_by,
        clock_at=clock_at,
        progress=progress.with_gap(back.held_by if back else None) if has_gap or back else progress,
        **counts,
    )
    if staged.is_empty:
        _publish_nothing(contract, warehouse, staged)
    return staged


def _setback(
    contract: Contract,
    reader: Reader,
    warehouse: psycopg.Connection,
    window: Window | None,
    feed_state: state.FeedState,
    read_at: datetime,
) -> Setback | None:
    """Return by how much the source's clock was set back; None for a window or a change stream, which read no delta."""
    if window is not None or contract.path != "poll":
        return None
    look_back = timedelta(seconds=contract.look_back_seconds)
    return find_setback(warehouse, contract.table, feed_state, read_at, look_back, reader.is_own_clock)


class LoadPreview(NamedTuple):
    """How many rows a load would read, from where, and how far the feed would be complete."""

    rows: int
    start: datetime | None
    complete_through: datetime | None
    held_by: str | None


def preview(contract: Contract, source: Source, warehouse: psycopg.Connection, window: Window | None) -> LoadPreview:
    """Count what a load would read, without writing anything or starting an extraction.

    Raises:
        SourceRefused: when a read could lose rows or copy clear text.
    """
    with driver_errors(f"preview {contract.table}"):
        reader = make_reader(contract, source)
        feed_state = state.read_state(warehouse, contract.table)
        back = _setback(contract, reader, warehouse, window, feed_state, reader.read_clock())
        feed_state = back.move(feed_state) if back else feed_state
        watermark = feed_state.last_sync_timestamp
        request = ReadRequest(feed_state.extraction, window, watermark, (), feed_state.resume_token)
        with reader.snapshot():
            reader.refuse_drift()
            rows = reader.count(request)
        progress = reader.compute_progress(feed_state, window, None)
        if back or (window is None and state.has_gap(warehouse, contract.table)):
            progress = progress.with_gap(back.held_by if back else None)
        return LoadPreview(rows, window.start if window else watermark, progress.complete_through, progress.held_by)


def _stage(
    contract: Contract,
    reader: Reader,
    warehouse: psycopg.Connection,
    window: Window | None,
    feed_state: state.FeedState,
    read_at: datetime,
) -> tuple[CheckedKey | None, dict[str, int]]:
    """Fill staging; return the source's key, and the counts of rows extracted, suppressed, held and unchanged."""
    values = {
        "feed": contract.table,
        "suite_checksum": read_suite(contract).checksum,
        "read_at": read_at,
        "seen_through": state.read_seen_through(warehouse, contract.table),
    }
    retries = [key for (key,) in warehouse.execute(_DUE, values)] if window is None else []
    with reader.snapshot(), warehouse.transaction():
        key = reader.read_key()
        reader.refuse_drift()
        is_rekeyed = rekey.is_rekeyed(contract, warehouse, key, feed_state.key, window)
        watermark = None if is_rekeyed else feed_state.last_sync_timestamp
        warehouse.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        warehouse.execute(staging.truncate(contract))
        # after the lock on staging: a run that waited for a newer one must not replace the newer rows
        state.check_fence(warehouse, contract.table, feed_state.extraction)
        request = ReadRequest(feed_state.extraction, window, watermark, retries, feed_state.resume_token)
        copied = reader.copy_into(warehouse, request)
        if erased := suppression.find_erased(contract, warehouse):
            raise _ErasedRowsFound(erased)
        suppressed = suppression.suppress(contract, warehouse)
        held = warehouse.execute(quarantine.drop_held(contract), values).rowcount
        warehouse.execute(staging.analyze(contract))
        unchanged = warehouse.execute(staging.drop_unchanged(contract), values).rowcount + copied.gone
    return key, {"extracted": copied.rows, "suppressed": suppressed, "held": held, "unchanged": unchanged}


def _publish_nothing(contract: Contract, warehouse: psycopg.Connection, staged: Staged) -> None:
    with warehouse.transaction():
        state.hold_fence(warehouse, staged.feed, staged.extraction)
        rekey.replace_rest(contract, warehouse, staged)
        state.finish(warehouse, staged, _result(staged, None, inserted=0, updated=0))


def check(contract: Contract, warehouse: psycopg.Connection, staged: Staged, limits: Limits | None = None) -> Audit:
    """Check staging with the feed's ``expectations.yml``, and mark the rows that break a row rule.

    Raises:
        BatchBlocked: when a rule of the whole batch fails, a rule cannot run, or too many rows are bad.
        TerminalError: when staging does not hold the rows that were extracted.
    """
    # Great Expectations takes seconds to import
    from promptsales.load.audit import audit_staging

    with driver_errors(f"check {contract.table}"):
        warehouse.autocommit = True
        _refuse_lost_staging(contract, warehouse, staged)
        return audit_staging(contract, warehouse, staged, limits or settings().limits)


def _refuse_lost_staging(contract: Contract, warehouse: psycopg.Connection, staged: Staged) -> None:
    row = warehouse.execute(staging.count_staged(contract), {"extraction": staged.extraction}).fetchone()
    if row is None or row[0] != staged.remaining:
        raise TerminalError(
            f"feed {contract.table}: staging holds {row[0] if row else 0} rows of extraction {staged.extraction}, "
            f"{staged.remaining} were put there (a newer run, or a crash of the warehouse); the next run loads them"
        )


def publish(contract: Contract, warehouse: psycopg.Connection, staged: Staged, audit: Audit) -> LoadResult:
    """Merge staging into core, in one transaction with history, quarantine, touched days, counts and the watermark.

    Publishing the same load twice returns the first result.

    Raises:
        Fenced: when a newer run of the feed has begun; nothing is published.
        TerminalError: when staging does not hold the rows that were extracted.
    """
    with driver_errors(f"publish {contract.table}"):
        warehouse.autocommit = True
        with warehouse.transaction():
            if earlier := state.read_result(warehouse, staged):
                return earlier
            state.hold_fence(warehouse, staged.feed, staged.extraction)
            _refuse_lost_staging(contract, warehouse, staged)
            result = _merge(contract, warehouse, staged, audit)
            state.finish(warehouse, staged, result)
        if result.quarantined > staged.held:
            warehouse.execute(quarantine.ANALYZE)
        return result


def _merge(contract: Contract, warehouse: psycopg.Connection, staged: Staged, audit: Audit) -> LoadResult:
    values = {"feed": staged.feed, "extraction": staged.extraction, "suite_checksum": audit.suite_checksum}
    rekey.build_bridge(contract, warehouse, staged)
    # before `hold`: its rows would make this plan, made for few open rows, scan all of them for each staged row
    warehouse.execute(quarantine.close_published(contract), values)
    warehouse.execute(quarantine.hold(contract), values)
    inserted, updated = merge.bring_into_core(contract, warehouse, values)
    rekey.replace_rest(contract, warehouse, staged)
    return _result(staged, audit, inserted=inserted, updated=updated)


def _result(staged: Staged, audit: Audit | None, *, inserted: int, updated: int) -> LoadResult:
    quarantined = staged.held + (audit.quarantined if audit else 0)
    return LoadResult(
        feed=staged.feed,
        extraction=staged.extraction,
        window=staged.window,
        extracted=staged.extracted,
        inserted=inserted,
        updated=updated,
        unchanged=staged.extracted - staged.suppressed - quarantined - inserted - updated,
        quarantined=quarantined,
        suppressed=staged.suppressed,
        checks_passed=audit.checks_passed if audit else 0,
        checks_failed=audit.checks_failed if audit else 0,
        last_sync_timestamp=staged.progress.last_sync_timestamp,
        complete_through=staged.progress.complete_through,
    )


def load(
    contract: Contract,
    source: Source,
    warehouse: psycopg.Connection,
    window: Window | None,
    triggered_by: str,
    limits: Limits | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> LoadResult:
    """Run the three steps without Airflow; raises what they raise.

    Args:
        contract: the feed.
        source: the system to read.
        warehouse: a connection to the warehouse as its loader.
        window: the rows to replay, or None for the delta since the watermark.
        triggered_by: the run or command that loads, for the audit row.
        limits: how many bad rows block the whole batch, or None for the limits of the settings.
        on_step: called with the name of each step when it begins.
    """
    on_step("extract")
    staged = extract(contract, source, warehouse, window, triggered_by)
    if staged.is_empty:
        return _result(staged, None, inserted=0, updated=0)
    on_step("check")
    audit = check(contract, warehouse, staged, limits)
    on_step("publish")
    return publish(contract, warehouse, staged, audit)
