"""The tasks that check the warehouse's tables, feeds and sources.

Only the task that runs Great Expectations imports it.
"""

import logging
from datetime import UTC, datetime

from airflow.sdk import task

from promptsales.errors import BatchBlocked
from promptsales.orchestration.connections import postgres, source
from promptsales.printable import logger
from promptsales.specs.feed import contract, contracts

WAREHOUSE = "warehouse"

log = logger(__name__)


@task(pool=WAREHOUSE)
def check_rows(table: str) -> None:
    """Run a table's suite over the whole table; fail when a rule fails that is not a warning."""
    from promptsales.quality.tables import audit_table

    with postgres(WAREHOUSE) as warehouse:
        verdicts = audit_table(table, warehouse, datetime.now(UTC))
    for verdict in (verdict for verdict in verdicts if not verdict.is_success):
        level = logging.ERROR if verdict.result == "failed" else logging.WARNING
        reason = verdict.error or f"{verdict.unexpected_count} of {verdict.element_count} rows"
        log.log(level, "%s: %s: %s", table, verdict.expectation.meta.rule, reason)
    if failed := [verdict.expectation.meta.rule for verdict in verdicts if verdict.result == "failed"]:
        raise BatchBlocked(
            f"{table} violates {', '.join(failed)}; see ops.check_result for the counts, then fix the source and load "
            "again, rebuild the mart, or fix the rule"
        )


@task(task_id="feeds", pool=WAREHOUSE)
def check_feeds() -> None:
    """Warn when a feed brings unusually many or few rows, brings none, or is late."""
    from promptsales.monitoring.feed_checks import check_feeds as run

    with postgres(WAREHOUSE) as warehouse:
        verdicts_by_feed = run(warehouse, contracts(), datetime.now(UTC))
    for feed, verdicts in verdicts_by_feed.items():
        for verdict in (verdict for verdict in verdicts if not verdict.is_success):
            log.warning("%s: %s: %s", feed, verdict.expectation.meta.rule, verdict.expectation.description)


@task
def check_columns(feed: str) -> None:
    """Warn when the source has columns that the contract does not name; no load reads them."""
    from promptsales.monitoring.feed_checks import check_source

    spec = contract(feed)
    with postgres(spec.source.system) as opened, postgres(WAREHOUSE) as warehouse:
        names = check_source(spec, opened, warehouse)
    if names:
        log.warning("%s: the source has new columns, which no load reads: %s", feed, ", ".join(names))


@task
def check_types(feed: str) -> None:
    """Warn when a field of a collection has several BSON types."""
    from promptsales.extract.mongo.reader import Content
    from promptsales.monitoring.collection_checks import check_types as run

    spec = contract(feed)
    with source(spec) as opened, postgres(WAREHOUSE) as warehouse:
        if isinstance(opened, Content):
            for field, documents in run(spec, opened, warehouse).items():
                log.warning("%s: field %s has several BSON types (documents by type: %s)", feed, field, documents)
