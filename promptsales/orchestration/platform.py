"""The tasks that bring every system's schema to what the files say, by the code of `promptsales provision`.

They have connections and no secrets: roles, passwords and hashing keys stay with the command line.
Whatever is heavy is imported inside the tasks.
"""

import logging
from typing import TYPE_CHECKING

from airflow.sdk import get_current_context, task

from promptsales.orchestration.connections import bootstrap_servers, mongo, postgres
from promptsales.printable import logger, printable
from promptsales.settings import settings

if TYPE_CHECKING:
    from promptsales.provision import ProvisionChange
    from promptsales.provision.lines import Database

log = logger(__name__)


@task
def database(name: "Database", conn_id: str) -> list[str]:
    """Migrations, then what the contracts say, in one transaction; then the zone that views follow."""
    from promptsales.provision import provision_database, provision_reporting_zone

    with postgres(conn_id, name) as connection:
        changes = provision_database(connection, name, dry_run=_is_dry_run())
        if name == "warehouse":
            changes += provision_reporting_zone(connection, settings().reporting_timezone, _is_dry_run())
        return _told(changes)


@task
def content(conn_id: str) -> list[str]:
    """Validators and indexes of MongoDB's collections."""
    from promptsales.provision import provision_collections

    with mongo(conn_id) as client:
        return _told(provision_collections(client["promptcontent"], dry_run=_is_dry_run()))


@task
def bus(conn_id: str) -> list[str]:
    """Kafka's topics; none is ever deleted."""
    from promptsales.provision import provision_topics

    return _told(provision_topics(bootstrap_servers(conn_id), _is_dry_run()))


def _is_dry_run() -> bool:
    return bool(get_current_context()["params"]["dry_run"])


def _told(changes: "list[ProvisionChange]") -> list[str]:
    """What was changed, into the log and the result."""
    verb = "would change" if _is_dry_run() else "changed"
    # Airflow's page shows the result
    told = [printable(f"{change.system}: {change.what}") for change in changes]
    for change, line in zip(changes, told, strict=True):
        log.log(
            logging.WARNING if change.is_warning else logging.INFO,
            "%s %s",
            "look at" if change.is_warning else verb,
            line,
        )
    if not changes:
        log.info("nothing to change")
    return told
