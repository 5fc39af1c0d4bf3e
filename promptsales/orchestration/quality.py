"""The tasks that check the warehouse as it stands.

Great Expectations is imported inside the task that runs it.
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
def rows(table: str) -> None:
    """Run a table's suite over all of it; fails when a rule does that is more than a warning."""
    from promptsales.quality.tables import audit_table

    with postgres(WAREHOUSE) as warehouse:
        verdicts = audit_table(table, warehouse, datetime.now(UTC))
    for verdict in (one for one in verdicts if not one.is_success):
        level = logging.ERROR if verdict.result == "failed" else logging.WARNING
        what = verdict.error or f"{verdict.unexpected_count} of {verdict.element_count} rows"
        log.log(level, "%s: %s: %s", table, verdict.expectation.meta.rule, what)
    if failed := [one.expectation.meta.rule for one in verdicts if one.result == "failed"]:
        raise BatchBlocked(
            f"{table} breaks {', '.join(failed)}; ops.check_result has the counts: "
            "mend the source and load again, build a mart anew, or mend the rule"
        )


@task(pool=WAREHOUSE)
def feeds() -> None:
    """Warn where a feed brings unusually many or few rows, or none, or is late."""
    from promptsales.monitoring.feed_checks import check_feeds

    with postgres(WAREHOUSE) as warehouse:
        found = check_feeds(warehouse, contracts(), datetime.now(UTC))
    for feed, verdicts in found.items():
        for verdict in (one for one in verdicts if not one.is_success):
            log.warning("%s: %s: %s", feed, verdict.expectation.meta.rule, verdict.expectation.description)


@task
def columns(feed: str) -> None:
    """Warn where the source has columns that its contract does not know; no load reads them."""
    from promptsales.monitoring.feed_checks import check_source

    found = contract(feed)
    with postgres(found.source.system) as opened, postgres(WAREHOUSE) as warehouse:
        names = check_source(found, opened, warehouse)
    if names:
        log.warning("%s: new columns at the source, not read: %s", feed, ", ".join(names))


@task
def types(feed: str) -> None:
    """Warn where a collection has a field in more than one BSON type."""
    from promptsales.extract.mongo.reader import Content
    from promptsales.monitoring.collection_checks import check_types

    found = contract(feed)
    with source(found) as opened, postgres(WAREHOUSE) as warehouse:
        if isinstance(opened, Content):
            for field, counted in check_types(found, opened, warehouse).items():
                log.warning("%s: field %s in several types, by documents: %s", feed, field, counted)
