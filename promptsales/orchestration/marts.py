"""The tasks that build marts; PySpark is imported inside the one that starts it."""

import logging
from datetime import UTC, date, datetime
from typing import Any

from airflow.sdk import AssetAlias, get_current_context, task

from promptsales.errors import BatchBlocked, ConfigError
from promptsales.marts.plan import Asked
from promptsales.orchestration.assets import MARTS
from promptsales.orchestration.connections import forget_responses, postgres
from promptsales.printable import logger
from promptsales.settings import settings
from promptsales.specs.mart import tables

WAREHOUSE = "warehouse"
# stands for the assets of the marts that were built: no event for one that stayed as it was
BUILT = AssetAlias("marts.built")

log = logger(__name__)


@task.short_circuit(pool=WAREHOUSE)
def plan() -> list[str]:
    """Which marts are to be built; none: nothing follows, and Spark does not start."""
    from promptsales.marts.build import due

    with postgres(WAREHOUSE) as warehouse:
        names, others = due(tables(), warehouse, settings(), _asked())
    for name, other in others.items():
        log.log(logging.WARNING if other.is_blocked else logging.INFO, "%s is skipped: %s", name, other.reason)
    return names


@task(pool=WAREHOUSE, outlets=[BUILT])
def build(names: list[str]) -> dict[str, Any]:
    """Build them in one Spark session, each published by itself."""
    from promptsales.marts.build import build as run
    from spark_jobs import jobs

    context = get_current_context()

    def tell(name: str, what: str) -> None:
        log.info("%s: %s", name, what)

    def skip(name: str, why: str) -> None:
        log.info("%s is skipped: %s", name, why)

    with postgres(WAREHOUSE) as warehouse:
        try:
            results = run(names, warehouse, settings(), _asked(), jobs, tell=tell, skip=skip)
        finally:  # of several that failed too, some may be published
            forget_responses(*(f"marts.{name}" for name in names))
    for one in results:
        log.info(
            "%s: %d rows built, %d inserted, %d updated, %d deleted, %d restated; complete through %s",
            *(one.mart, one.staged, one.inserted, one.updated, one.deleted, one.restated, one.complete_through),
        )
        context["outlet_events"][BUILT].add(MARTS[one.mart])
    return {one.mart: one.staged for one in results}


@task(pool=WAREHOUSE)
def tie() -> None:
    """Compare marts with core and with each other; fails where a mart is wrong, warns where a source is odd."""
    from promptsales.marts.crosscheck import cross_check

    with postgres(WAREHOUSE) as warehouse:
        broken = cross_check(warehouse, settings().reporting_timezone)
    for one in broken:
        log.log(logging.WARNING if one.is_warning else logging.ERROR, "%s: %d cells do not hold", one.rule, one.cells)
    if wrong := [one.rule for one in broken if not one.is_warning]:
        raise BatchBlocked(
            f"marts break {', '.join(wrong)}; ops.check_result has the counts: rebuild by warehouse_marts with full"
        )


def _asked() -> Asked:
    """As of now, and which days the form names."""
    context = get_current_context()
    run, params = context["dag_run"], context["params"]
    start, end = params.get("start"), params.get("end")
    if bool(start) != bool(end) or (start and end and start >= end):
        raise ConfigError(
            "a range needs both start and end, the earlier day as start; leave both empty for what changed"
        )
    window = (date.fromisoformat(start), date.fromisoformat(end)) if start and end else None
    # a run that waited, or is tried again, builds what is complete by now
    return Asked(datetime.now(UTC), f"airflow:{run.dag_id}/{run.run_id}", window, bool(params.get("full")))
