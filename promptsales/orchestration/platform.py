"""The tasks that apply the schemas of the repository to every system, with the code of `promptsales provision`.

Airflow holds connections but no other secrets, so only the command line creates roles, passwords and hashing keys.
Heavy modules are imported inside the tasks.
"""

from typing import TYPE_CHECKING

from airflow.sdk import get_current_context, task

from promptsales.errors import ConfigError
from promptsales.orchestration.connections import kafka_address, mongo, postgres
from promptsales.printable import logger, printable
from promptsales.settings import settings

if TYPE_CHECKING:
    from promptsales.provision import ProvisionChange
    from promptsales.provision.lines import Database

log = logger(__name__)


@task
def provision_database(name: "Database", conn_id: str) -> list[str]:
    """Run the migrations and apply the contracts, then set the reporting time zone.

    Raises:
        ConfigError: when migrations of a source are due, which need the password of its owner.
    """
    from promptsales import provision

    _refuse_unless_chosen()
    with postgres(conn_id, name) as connection:
        changes = provision.provision_database(connection, name, dry_run=_is_dry_run())
        if name == "warehouse":
            changes += provision.provision_reporting_zone(connection, settings().reporting_timezone, _is_dry_run())
        return _report(changes)


@task(task_id="content")
def provision_collections(conn_id: str) -> list[str]:
    """Create the validators and indexes of MongoDB's collections."""
    from promptsales import provision

    _refuse_unless_chosen()
    with mongo(conn_id) as client:
        return _report(provision.provision_collections(client["promptcontent"], dry_run=_is_dry_run()))


@task(task_id="bus")
def provision_topics(conn_id: str) -> list[str]:
    """Create and configure Kafka's topics; never delete one."""
    from promptsales import provision

    _refuse_unless_chosen()
    return _report(provision.provision_topics(kafka_address(conn_id), _is_dry_run()))


def _refuse_unless_chosen() -> None:
    if not settings().provision_in_airflow:
        raise ConfigError(
            "airflow has no administrators' connections; run `promptsales provision`, or set "
            "PROMPTSALES_PROVISION_IN_AIRFLOW=true where Airflow and `promptsales register` run, and register again"
        )


def _is_dry_run() -> bool:
    return bool(get_current_context()["params"]["dry_run"])


def _report(changes: "list[ProvisionChange]") -> list[str]:
    """Log the changes, and return them as the task's result, which Airflow's UI shows."""
    verb = "would change" if _is_dry_run() else "changed"
    lines = [printable(f"{change.system}: {change.what}") for change in changes]
    for change, line in zip(changes, lines, strict=True):
        if change.is_warning:
            log.warning("needs attention: %s", line)
        else:
            log.info("%s %s", verb, line)
    if not changes:
        log.info("nothing to change")
    return lines
