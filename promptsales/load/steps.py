"""The three steps of a load: extract, check, publish.

Each may be killed at any instant. Extract leaves rows in staging, which the next extract empties; check leaves marks
there; publish is one transaction. So whatever happened, the next run starts from the stored watermark and ends right.
Connections are handed over open, and belong to the caller.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg import sql

from promptsales.erasure import removal, suppression
from promptsales.errors import TerminalError, driver_errors
from promptsales.extract.sources import Source, reader_of
from promptsales.feeds import quarantine, staging, state
from promptsales.feeds.models import Audit, LoadResult, Staged, Window
from promptsales.feeds.reader import CheckedKey, Reader, Wanted
from promptsales.load import merge, rekey
from promptsales.load.clock import Setback, setback
from promptsales.settings import Limits, settings
from promptsales.specs.feed import Contract
from promptsales.specs.suite import read_suite

# a run that waits longer than this for another one's staging is better tried again
LOCK_TIMEOUT = "60s"


def extract(
    contract: Contract,
    source: Source,
    warehouse: psycopg.Connection,
    window: Window | None,
    triggered_by: str,
) -> Staged:
    """Copy a feed's new rows into staging and take out what core holds already.

    Where nothing is left, the watermark moves at once, and there is nothing to check or publish.

    Args:
        contract: the feed.
        source: the system it reads: for a hashing view a connection of a role that sees it, else see `Source`.
        warehouse: the warehouse, as its loader.
        window: replay exactly these rows, or None for the delta since the watermark.
        triggered_by: who asked, for the audit row.

    Raises:
        SourceRefused: when the source cannot be read without risking loss or clear text.
        Fenced: when a newer run of the feed has begun.
        TransientError: on a lost connection or a lock not given.
    """
    with driver_errors(f"extract {contract.table}"):
        warehouse.autocommit = True
        while True:
            try:
                return _extract(contract, source, warehouse, window, triggered_by)
            except _ErasedMet as met:
                # nothing was staged; once they are removed, what is read again leaves them out
                _remove(warehouse, met.rows)


class _ErasedMet(Exception):
    """Rows came that have an erased person's e-mail hash, under ids that are not known for theirs."""

    def __init__(self, rows: list[removal.Erased]) -> None:
        super().__init__()
        self.rows = rows


def _remove(warehouse: psycopg.Connection, rows: list[removal.Erased]) -> None:
    with warehouse.transaction():
        removal.exclude_others(warehouse)
        removal.suppress(warehouse, rows)
        removal.remove(warehouse, [row.key for row in rows], ())


def _extract(
    contract: Contract, source: Source, warehouse: psycopg.Connection, window: Window | None, triggered_by: str
) -> Staged:
    reader = reader_of(contract, source)
    begun = state.begin(warehouse, contract.table)
    has_gap = window is None and state.has_gap(warehouse, contract.table)
    read_at = reader.look()
    clock_at = state.clock(warehouse) if reader.is_own_clock else None
    back = _setback(contract, reader, warehouse, window, begun, read_at)
    begun = begun._replace(last_sync_timestamp=back.watermark, complete_through=None) if back else begun
    key, counts = _stage(contract, reader, warehouse, window, begun, read_at)
    progress = reader.progress(begun, window, key)
    staged = Staged(
        feed=contract.table,
        extraction=begun.extraction,
        window=window,
        window_start=window.start if window else begun.last_sync_timestamp if begun.key in (None, key) else None,
        read_at=read_at,
        started_at=begun.started_at,
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
    begun: state.Begun,
    read_at: datetime,
) -> Setback | None:
    """Whether a delta must read from further back: a window says itself what it reads, a change stream has a token."""
    if window is not None or contract.path != "poll":
        return None
    look_back = timedelta(seconds=contract.look_back_seconds)
    return setback(warehouse, contract.table, begun, read_at, look_back, reader.is_own_clock)


class Seen(NamedTuple):
    """What a load would read, and how far it would be complete."""

    rows: int
    start: datetime | None
    complete_through: datetime | None
    held_by: str | None


def look(contract: Contract, source: Source, warehouse: psycopg.Connection, window: Window | None) -> Seen:
    """Say what a load would read; nothing is written, no number is taken.

    Raises:
        SourceRefused: when the source cannot be read without risking loss or clear text.
    """
    with driver_errors(f"look at {contract.table}"):
        reader = reader_of(contract, source)
        begun = state.stands(warehouse, contract.table)
        back = _setback(contract, reader, warehouse, window, begun, reader.look())
        begun = begun._replace(last_sync_timestamp=back.watermark, complete_through=None) if back else begun
        with reader.snapshot():
            reader.refuse_drift()
            rows = reader.count(Wanted(begun.extraction, window, begun.last_sync_timestamp, (), begun.resume_token))
        progress = reader.progress(begun, window, None)
        if back or (window is None and state.has_gap(warehouse, contract.table)):
            progress = progress.with_gap(back.held_by if back else None)
        start = window.start if window else begun.last_sync_timestamp
        return Seen(rows, start, progress.complete_through, progress.held_by)


def _stage(
    contract: Contract,
    reader: Reader,
    warehouse: psycopg.Connection,
    window: Window | None,
    begun: state.Begun,
    read_at: datetime,
) -> tuple[CheckedKey | None, dict[str, int]]:
    """Returns the source's key, and how many rows were extracted and how many left staging again, by why."""
    judged = {
        "feed": contract.table,
        "suite_checksum": read_suite(contract).checksum,
        "read_at": read_at,
        "seen_through": state.seen_through(warehouse, contract.table),
    }
    retries = [key for (key,) in warehouse.execute(state.statement("due"), judged)] if window is None else []
    with reader.snapshot(), warehouse.transaction():
        key = reader.read_key()
        reader.refuse_drift()
        is_rekeyed = rekey.is_rekeyed(contract, warehouse, key, begun.key, window)
        watermark = None if is_rekeyed else begun.last_sync_timestamp
        warehouse.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        warehouse.execute(staging.truncate(contract))
        # only now that staging is ours: a run that waited here for a newer one must not empty what that one staged
        state.look_at_fence(warehouse, contract.table, begun.extraction)
        copied = reader.copy_into(warehouse, Wanted(begun.extraction, window, watermark, retries, begun.resume_token))
        if met := suppression.met(contract, warehouse):
            raise _ErasedMet([removal.Erased(contract.table, *row) for row in met])
        suppressed = suppression.suppress(contract, warehouse)
        held = warehouse.execute(quarantine.drop_held(contract), judged).rowcount
        warehouse.execute(staging.analyze(contract))
        unchanged = warehouse.execute(staging.drop_unchanged(contract), judged).rowcount + copied.gone
    return key, {"extracted": copied.rows, "suppressed": suppressed, "held": held, "unchanged": unchanged}


def _publish_nothing(contract: Contract, warehouse: psycopg.Connection, staged: Staged) -> None:
    with warehouse.transaction():
        state.hold_fence(warehouse, staged.feed, staged.extraction)
        rekey.replace_rest(contract, warehouse, staged)
        state.finish(warehouse, staged, _result(staged, None, inserted=0, updated=0))


def check(contract: Contract, warehouse: psycopg.Connection, staged: Staged, limits: Limits | None = None) -> Audit:
    """Judge what lies in staging by the feed's ``expectations.yml``, and mark the rows that break a row rule.

    Raises:
        BatchBlocked: when a rule of the whole batch fails, a rule cannot run, or too many rows are bad.
        TerminalError: when staging does not hold what was extracted.
    """
    # Great Expectations takes seconds to import; where nothing is checked nothing is paid
    from promptsales.load.audit import audit_staging

    with driver_errors(f"check {contract.table}"):
        warehouse.autocommit = True
        _refuse_lost_staging(contract, warehouse, staged)
        return audit_staging(contract, warehouse, staged, limits or settings().limits)


def _refuse_lost_staging(contract: Contract, warehouse: psycopg.Connection, staged: Staged) -> None:
    found = warehouse.execute(staging.count_staged(contract), {"extraction": staged.extraction}).fetchone()
    if found is None or found[0] != staged.remaining:
        raise TerminalError(
            f"feed {contract.table}: staging holds {found[0] if found else 0} rows of extraction {staged.extraction}, "
            f"{staged.remaining} were put there (a newer run, or a crash of the warehouse); the next run loads them"
        )


def publish(contract: Contract, warehouse: psycopg.Connection, staged: Staged, audit: Audit) -> LoadResult:
    """Move staging into core, in one transaction with history, quarantine, touched days, counts and the watermark.

    Publishing the same load twice returns the first result.

    Raises:
        Fenced: when a newer run of the feed has begun; nothing is published.
        TerminalError: when staging does not hold what was extracted.
    """
    with driver_errors(f"publish {contract.table}"):
        warehouse.autocommit = True
        with warehouse.transaction():
            if done := state.published(warehouse, staged):
                return done
            state.hold_fence(warehouse, staged.feed, staged.extraction)
            _refuse_lost_staging(contract, warehouse, staged)
            result = _merge(contract, warehouse, staged, audit)
            state.finish(warehouse, staged, result)
        if result.quarantined > staged.held:
            warehouse.execute(quarantine.analyze)
        return result


def _merge(contract: Contract, warehouse: psycopg.Connection, staged: Staged, audit: Audit) -> LoadResult:
    values = {"feed": staged.feed, "extraction": staged.extraction, "suite_checksum": audit.suite_checksum}
    rekey.build_bridge(contract, warehouse, staged)
    # before the new ones come in: a plan made for few open rows would look through all of them for each staged row
    warehouse.execute(quarantine.release(contract), values)
    warehouse.execute(quarantine.hold(contract), values)
    counts = warehouse.execute(merge.upsert(contract), values).fetchone()
    inserted, updated = counts or (0, 0)
    rekey.replace_rest(contract, warehouse, staged)
    return _result(staged, audit, inserted=inserted, updated=updated)


def _result(staged: Staged, audit: Audit | None, *, inserted: int, updated: int) -> LoadResult:
    quarantined = staged.held + (audit.quarantined if audit else 0)
    return LoadResult(
        feed=staged.feed,
        extraction=staged.extraction,
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
    """The three steps in a row, as a run without Airflow does them; raises what they raise.

    Args:
        contract: the feed.
        source: the system it reads.
        warehouse: the warehouse, as its loader.
        window: replay exactly these rows, or None for the delta since the watermark.
        triggered_by: who asked, for the audit row.
        limits: when the batch is blocked; by default as the settings say.
        on_step: told the name of each step as it begins.
    """
    on_step("extract")
    staged = extract(contract, source, warehouse, window, triggered_by)
    if staged.is_empty:
        return _result(staged, None, inserted=0, updated=0)
    on_step("check")
    audit = check(contract, warehouse, staged, limits)
    on_step("publish")
    return publish(contract, warehouse, staged, audit)
