"""The three steps of a load: extract, check, publish.

Each may be killed at any instant. Extract leaves rows in staging, which the next extract empties; check leaves marks
there; publish is one transaction. So whatever happened, the next run starts from the stored watermark and ends right.
Connections are handed over open, and belong to the caller.
"""

from collections.abc import Callable
from datetime import timedelta

import psycopg
from psycopg import IsolationLevel, sql

from promptsales.contracts import Contract
from promptsales.errors import TerminalError, driver_errors
from promptsales.extract import delta
from promptsales.extract.frontier import Frontier, complete_through_after, read_frontier, watermark_after
from promptsales.load import feed, statements
from promptsales.load.models import Audit, Limits, LoadResult, Progress, Staged, Window
from promptsales.quality.suite import read_suite

# a run that waits longer than this for another one's staging is better tried again
LOCK_TIMEOUT = "60s"


def extract(
    contract: Contract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    window: Window | None,
    triggered_by: str,
) -> Staged:
    """Copy a feed's new rows into staging and take out what core holds already.

    Where nothing is left, the watermark moves at once, and there is nothing to check or publish.

    Args:
        contract: the feed.
        source: the system it reads, as a role that sees the hashing view.
        warehouse: the warehouse, as its loader.
        window: replay exactly these rows, or None for the delta since the watermark.
        triggered_by: who asked, for the audit row.

    Raises:
        SourceRefused: when the source cannot be read without risking loss or clear text.
        Fenced: when a newer run of the feed has begun.
        TransientError: on a lost connection or a lock not given.
    """
    with driver_errors(f"extract {contract.table}"):
        source.autocommit = warehouse.autocommit = True
        begun = feed.begin(warehouse, contract.table)
        frontier = read_frontier(source)
        key, counts = _stage(contract, source, warehouse, window, begun, frontier)
        staged = Staged(
            feed=contract.table,
            extraction=begun.extraction,
            window=window,
            window_start=window.start if window else begun.last_sync_timestamp,
            read_at=frontier.read_at,
            started_at=begun.started_at,
            triggered_by=triggered_by,
            progress=_progress(contract, begun, frontier, key, window),
            **counts,
        )
        if staged.is_empty:
            _publish_nothing(warehouse, staged)
        return staged


def _progress(
    contract: Contract, begun: feed.Begun, found: Frontier, key: tuple[int, bytes] | None, window: Window | None
) -> Progress:
    """Where the feed will stand; a replayed window moves nothing."""
    watermark, complete_through = begun.last_sync_timestamp, begun.complete_through
    if window is None:
        watermark = watermark_after(found, watermark, timedelta(seconds=contract.look_back_seconds))
        complete_through = complete_through_after(found, complete_through)
    return Progress(
        last_sync_timestamp=watermark,
        complete_through=complete_through,
        held_by=found.held_by,
        pii_kid=key[0] if key else None,
        pii_check=key[1].hex() if key else None,
    )


def _stage(
    contract: Contract,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    window: Window | None,
    begun: feed.Begun,
    frontier: Frontier,
) -> tuple[tuple[int, bytes] | None, dict[str, int]]:
    """Returns the source's key, and how many rows were extracted and how many left staging again, by why."""
    judged = {
        "feed": contract.table,
        "suite_checksum": read_suite(contract).checksum,
        "read_at": frontier.read_at,
        "seen_through": feed.seen_through(warehouse, contract.table),
    }
    retries = [key for (key,) in warehouse.execute(feed.statement("due"), judged)] if window is None else []
    query = delta.copy_out(contract, begun.extraction, window, begun.last_sync_timestamp, retries)
    source.isolation_level, source.read_only = IsolationLevel.REPEATABLE_READ, True
    with source.transaction(), warehouse.transaction():
        key = delta.read_key(contract, source)
        delta.refuse_changed_key(contract, key, begun.key)
        delta.refuse_drift(contract, source)
        warehouse.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        warehouse.execute(statements.truncate(contract))
        # only now that staging is ours: a run that waited here for a newer one must not empty what that one staged
        feed.look_at_fence(warehouse, contract.table, begun.extraction)
        extracted = _pipe(source, query, warehouse, statements.copy_in(contract))
        suppressed = warehouse.execute(statements.drop_suppressed(contract), judged).rowcount
        held = warehouse.execute(statements.drop_held(contract), judged).rowcount
        warehouse.execute(statements.analyze(contract))
        unchanged = warehouse.execute(statements.drop_unchanged(contract), judged).rowcount
    return key, {"extracted": extracted, "suppressed": suppressed, "held": held, "unchanged": unchanged}


def _pipe(source: psycopg.Connection, out: sql.Composed, warehouse: psycopg.Connection, into: sql.Composed) -> int:
    """Pass the blocks of a COPY on, unread; returns the number of rows."""
    with source.cursor() as reader, warehouse.cursor() as writer:
        with reader.copy(out) as blocks, writer.copy(into) as sink:
            for block in blocks:
                sink.write(block)
        return writer.rowcount


def _publish_nothing(warehouse: psycopg.Connection, staged: Staged) -> None:
    with warehouse.transaction():
        feed.hold_fence(warehouse, staged.feed, staged.extraction)
        feed.finish(warehouse, staged, _result(staged, None, inserted=0, updated=0))


def check(contract: Contract, warehouse: psycopg.Connection, staged: Staged, limits: Limits | None = None) -> Audit:
    """Judge what lies in staging by the feed's ``expectations.yml``, and mark the rows that break a row rule.

    Raises:
        BatchBlocked: when a rule of the whole batch fails, a rule cannot run, or too many rows are bad.
        TerminalError: when staging does not hold what was extracted.
    """
    # Great Expectations takes seconds to import; where nothing is checked nothing is paid
    from promptsales.quality.audit import audit_staging

    with driver_errors(f"check {contract.table}"):
        warehouse.autocommit = True
        _refuse_lost_staging(contract, warehouse, staged)
        return audit_staging(contract, warehouse, staged, limits or Limits())


def _refuse_lost_staging(contract: Contract, warehouse: psycopg.Connection, staged: Staged) -> None:
    found = warehouse.execute(statements.count_staged(contract), {"extraction": staged.extraction}).fetchone()
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
            if done := feed.published(warehouse, staged):
                return done
            feed.hold_fence(warehouse, staged.feed, staged.extraction)
            _refuse_lost_staging(contract, warehouse, staged)
            result = _merge(contract, warehouse, staged, audit)
            feed.finish(warehouse, staged, result)
            return result


def _merge(contract: Contract, warehouse: psycopg.Connection, staged: Staged, audit: Audit) -> LoadResult:
    values = {"feed": staged.feed, "extraction": staged.extraction, "suite_checksum": audit.suite_checksum}
    warehouse.execute(statements.quarantine(contract), values)
    counts = warehouse.execute(statements.upsert(contract), values).fetchone()
    inserted, updated = counts or (0, 0)
    warehouse.execute(statements.release(contract), values)
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
    source: psycopg.Connection,
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
        limits: from where on bad rows mean a bad batch.
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
