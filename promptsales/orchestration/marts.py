"""The tasks that build and cross-check marts; only the build task imports PySpark."""

import logging
from datetime import UTC, date, datetime
from typing import Any

from airflow.sdk import AssetAlias, get_current_context, task

from promptsales.errors import BatchBlocked, ConfigError
from promptsales.marts.plan import BuildRequest
from promptsales.orchestration.assets import MARTS, describe_event
from promptsales.orchestration.connections import forget_responses, postgres
from promptsales.orchestration.window import WINDOW, refuse_unknown_keys
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.mart import tables

WAREHOUSE = "warehouse"
# resolved to the assets of the marts that were built: no event for a mart that was skipped
BUILT = AssetAlias("marts.built")

log = logger(__name__)


@task.short_circuit(pool=WAREHOUSE)
def plan() -> list[str]:
    """Return the marts that are due; when there are none, the build is skipped and Spark does not start."""
    from promptsales.marts.build import find_due

    with postgres(WAREHOUSE) as warehouse:
        names, skipped = find_due(tables(), warehouse, settings(), _build_request())
    for name, plan in skipped.items():
        log.log(logging.WARNING if plan.is_blocked else logging.INFO, "%s is skipped: %s", name, plan.reason)
    return names


@task(pool=WAREHOUSE, outlets=[BUILT])
def build(names: list[str]) -> dict[str, Any]:
    """Build the named marts in one Spark session; publish each in its own transaction."""
    from promptsales.marts.build import build as run
    from spark_jobs import jobs

    context = get_current_context()

    def report(name: str, step: str) -> None:
        log.info("%s: %s", name, step)

    def skip(name: str, reason: str) -> None:
        log.info("%s is skipped: %s", name, reason)

    with postgres(WAREHOUSE) as warehouse:
        try:
            results = run(names, warehouse, settings(), _build_request(), jobs, report=report, skip=skip)
        finally:  # a failed build may have published some of the marts
            forget_responses(*(f"marts.{name}" for name in names))
    for built in results:
        log.info(
            "%s: %d rows built, %d inserted, %d updated, %d deleted, %d restated; complete through %s",
            *(built.mart, built.staged, built.inserted, built.updated, built.deleted, built.restated),
            built.complete_through,
        )
        rows = built.inserted + built.updated + built.deleted
        extra = describe_event(f"marts.{built.mart}", rows, built.complete_through)
        context["outlet_events"][BUILT].add(MARTS[built.mart], extra)
    return {built.mart: built.staged for built in results}


@task(pool=WAREHOUSE)
def cross_check() -> None:
    """Compare the marts with core and with each other; fail for a wrong mart, warn for an inconsistent source."""
    from promptsales.marts.crosscheck import cross_check as run

    with postgres(WAREHOUSE) as warehouse:
        violations = run(warehouse, settings().reporting_timezone)
    for violation in violations:
        level = logging.WARNING if violation.is_warning else logging.ERROR
        log.log(level, "%s: %d rows violate the rule", violation.rule, violation.rows)
    if rules := [violation.rule for violation in violations if not violation.is_warning]:
        raise BatchBlocked(
            f"the marts violate {', '.join(rules)}; see ops.check_result for the counts, then trigger warehouse_marts "
            "with full"
        )


def _build_request() -> BuildRequest:
    """Return a request as of now, for the days named in the run's params."""
    context = get_current_context()
    run, params = context["dag_run"], context["params"]
    refuse_unknown_keys(run.conf, (*WINDOW, "full"))
    start, end = params.get("start"), params.get("end")
    if bool(start) != bool(end) or (start and end and start >= end):
        raise ConfigError(
            f"start {start or 'is empty'}, end {end or 'is empty'}: a range needs both, with start before end; leave "
            "both empty to build what changed"
        )
    if start and start > (today := datetime.now(UTC).date().isoformat()):
        raise ConfigError(f"start {start} is in the future, today is {today}; give days that have begun")
    window = (date.fromisoformat(start), date.fromisoformat(end)) if start and end else None
    # not the run's logical date: a run that was queued or retried builds what is complete now
    return BuildRequest(datetime.now(UTC), f"airflow:{run.dag_id}/{run.run_id}", window, bool(params.get("full")))
