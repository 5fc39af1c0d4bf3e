"""Check the rows in staging: mark those that break a row rule, and refuse a bad batch."""

import psycopg

from promptsales.feeds import quarantine, state
from promptsales.feeds.models import Audit, Staged
from promptsales.load.blocking import refuse_bad_batch
from promptsales.quality.run import run_suite
from promptsales.quality.verdict import Verdict, record
from promptsales.settings import Limits
from promptsales.specs.feed import Contract
from promptsales.specs.suite import read_suite


def audit_staging(contract: Contract, warehouse: psycopg.Connection, staged: Staged, limits: Limits) -> Audit:
    """Run the feed's suite over staging, record the results and mark the rows that break a row rule.

    Raises:
        BatchBlocked: with the rules that failed, their counts and what to do.
        Fenced: when a newer run of the feed has begun; its marks stay as they are.
    """
    suite = read_suite(contract)
    verdicts = list(run_suite(suite, warehouse, "staging", contract.staging, staged.read_at, row="_row"))
    with warehouse.transaction():
        # the suite ran without a lock, so staging may belong to a newer run by now
        state.hold_fence(warehouse, contract.table, staged.extraction)
        record(warehouse, contract.table, staged.extraction, verdicts)
        warehouse.execute(quarantine.clear_verdicts(contract))
        for verdict in verdicts:
            if verdict.expectation.meta.on_fail == "quarantine":
                _mark(contract, warehouse, verdict)
        warehouse.execute(quarantine.waive(contract), {"feed": contract.table})
        if contract.path == "change_stream":
            warehouse.execute(quarantine.accept_deletes(contract))
        count = warehouse.execute(quarantine.count_marked(contract)).fetchone()
    quarantined = count[0] if count else 0
    refuse_bad_batch(contract, verdicts, quarantined, staged.extracted, limits)
    failed = sum(not verdict.is_success for verdict in verdicts)
    return Audit(
        extraction=staged.extraction,
        suite_checksum=suite.checksum,
        checks_passed=len(verdicts) - failed,
        checks_failed=failed,
        quarantined=quarantined,
    )


def _mark(contract: Contract, warehouse: psycopg.Connection, verdict: Verdict) -> None:
    rule, query = verdict.expectation.meta.rule, verdict.expectation.query
    if query and verdict.unexpected_count:
        warehouse.execute(quarantine.mark_selected(contract, query), {"rule": rule})
    elif verdict.rows:
        warehouse.execute(quarantine.mark_rows(contract), {"rule": rule, "rows": verdict.rows})
