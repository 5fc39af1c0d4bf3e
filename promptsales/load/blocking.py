"""When a batch is blocked: a rule of the whole batch fails, a rule cannot run, or too many rows are bad."""

from promptsales.errors import BatchBlocked
from promptsales.quality.verdict import Verdict
from promptsales.settings import Limits
from promptsales.specs.feed import Contract


def refuse_bad_batch(
    contract: Contract, verdicts: list[Verdict], quarantined: int, extracted: int, limits: Limits
) -> None:
    """Check that a batch may be published.

    Args:
        contract: the feed.
        verdicts: of all rules of its suite.
        quarantined: rows that broke a row rule.
        extracted: rows of the batch.
        limits: how many bad rows block it.

    Raises:
        BatchBlocked: when a blocking rule failed, a rule could not run, or too many rows are bad.
    """

    def blocks(verdict: Verdict) -> bool:
        on_fail = verdict.expectation.meta.on_fail
        return not verdict.is_success and (
            on_fail == "block" or (on_fail == "quarantine" and verdict.error is not None)
        )

    reasons = [f"{v.expectation.meta.rule} ({v.error or f'{v.unexpected_count} rows'})" for v in verdicts if blocks(v)]
    if limits.are_exceeded(quarantined, extracted):
        reasons.append(f"{quarantined} of {extracted} rows are bad, {limits} block a batch")
    if reasons:
        raise BatchBlocked(
            f"feed {contract.table}: nothing is published, core stays as it was: {'; '.join(reasons)}; "
            "see ops.check_result, fix the source or the rule, then run the load again"
        )
